"""The folder in which a run was started, to which the paths in its config are relative."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .work_dir import WorkDir


def find_root(run: WorkDir) -> Path:
    """Return the folder in which a run was started, as far as it can be found.

    Args:
        run: Content of a work dir.

    Returns:
        The nearest folder, of the present one and those that hold the work dir, in which the
        config of the run and its own work dir have the names that they had; the present folder
        if there is none.
    """
    here = Path.cwd()
    work_dir = os.fspath(run.config.get('work_dir') or '')
    named = str(run.record.get('config') or '')
    if not work_dir or os.path.isabs(work_dir):
        return here
    target = run.path.resolve()
    for place in (here, *target.parents):
        if (place / work_dir).resolve() == target:
            return place
    # a work dir that was moved: its config may still be there
    for place in (here, *target.parents):
        if named and not os.path.isabs(named) and (place / named).is_file():
            return place
    return here


@contextmanager
def working_in(folder: Path) -> Iterator[None]:
    """Make a folder the present one, so that the relative paths of a config are found.

    Args:
        folder: The folder.
    """
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
