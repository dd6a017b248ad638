"""What pyproject.toml cannot state: copies of configs and tools in `.mim`, for MIM and MMEngine.

A checkout has links there.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

ROOT = Path(__file__).resolve().parent
MIM_PARTS = ('configs', 'tools', 'model-index.yml')


def fill_mim(package: Path, link: bool = False) -> None:
    """Put the parts that MIM needs under `package/.mim`.

    Args:
        package: Folder of the package, in the source tree or in a build tree.
        link: Whether to link to the sources instead of copying them. Where the system refuses
            links, they are copied all the same.

    Raises:
        FileNotFoundError: If a part is missing: a package without it looks whole but is not.
    """
    missing = [name for name in MIM_PARTS if not (ROOT / name).exists()]
    if missing:
        raise FileNotFoundError(f'{missing} not in {ROOT}: build from a complete source tree')
    target = package / '.mim'
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for name in MIM_PARTS:
        source = ROOT / name
        if link:
            try:
                (target / name).symlink_to(os.path.relpath(source, target))
                continue
            except OSError:
                pass
        if source.is_dir():
            ignore = shutil.ignore_patterns('__pycache__', '*.pyc')
            shutil.copytree(source, target / name, ignore=ignore)
        else:
            shutil.copy2(source, target / name)


class BuildPyWithMim(build_py):
    """Wheels get copies; an editable install gets links, so that edits take effect at once."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            fill_mim(ROOT / 'mmtmix', link=True)
        else:
            fill_mim(Path(self.build_lib) / 'mmtmix')


class SdistWithMim(sdist):
    """An unpacked source archive is usable as it is, without being built."""

    def make_release_tree(self, base_dir: str, files: list[str]) -> None:
        super().make_release_tree(base_dir, files)
        fill_mim(Path(base_dir) / 'mmtmix')


setup(cmdclass={'build_py': BuildPyWithMim, 'sdist': SdistWithMim})
