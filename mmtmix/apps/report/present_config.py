"""The config that a run was started with, as it is now, where it may be run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmtmix.utils import describe_error, load_config, resolve_config
from mmtmix.utils.command import is_user_error
from mmtmix.utils.config_options import parse_options
from mmtmix.utils.config_paths import is_shipped_config

from .config_changes import Change, base_config, config_changes, names_of_bases
from .work_dir import WorkDir


@dataclass(frozen=True)
class PresentConfig:
    """The config file of a run, or why it was not read.

    Attributes:
        named: Name in the record; empty if none is recorded.
        fault: Reason why it was not read, as the end of a sentence; empty if it was.
        path: Its path; None if it was not read.
        cfg: Content with the variants and options of the run; None if it was not read.
        variants: Values of its variants by name.
        options: Overrides of the run, as its command line had them.
    """

    named: str = ''
    fault: str = ''
    path: Path | None = None
    cfg: Config | None = None
    variants: Mapping[str, str] = field(default_factory=dict)
    options: tuple[str, ...] = ()


def read_present_config(run: WorkDir, place: Path | None) -> PresentConfig:
    """Read the config file that the record of a run names.

    A config is a program, and its name is a stranger's where the work dir is one's. So it is read
    only if it lies in the folder of the user or in this library, and not in the work dir itself.

    Args:
        run: Content of its work dir, in whose root the present folder is.
        place: Folder of the user, whose configs may be run; None runs none at all.

    Returns:
        The config, or the reason why it was not read.
    """
    named = run.record.get('config')
    if not isinstance(named, str):
        return PresentConfig()
    if place is None:
        return PresentConfig(named, 'a config is a program, and --no-predict runs none')
    variants = {str(name): str(value) for name, value in _dict(run.record.get('variants')).items()}
    options = tuple(map(str, run.record.get('options') or ()))
    try:
        path = resolve_config(named)
        if not _may_run(path.resolve(), place, run.path.resolve()):
            return PresentConfig(
                named,
                f'a config is a program, and {path} lies outside of {place} or comes with the '
                'work dir; if you trust it, run the command in the folder where the run was '
                'started',
            )
        cfg = load_config(path, parse_options(list(options)), variants)
    except Exception as error:
        if not is_user_error(error):
            raise
        return PresentConfig(named, f'it cannot be read from here: {describe_error(error)}')
    return PresentConfig(named, '', path, cfg, variants, options)


def compare_with_base(present: PresentConfig) -> tuple[str, list[Change]]:
    """Return a sentence about the base of a config, and the fields that differ from it.

    Args:
        present: Config from :func:`read_present_config`.
    """
    named = present.named
    if not named:
        return (
            'Which config file the run was started with is not recorded, so its base is unknown.',
            [],
        )
    if present.path is None or present.cfg is None:
        return f'{named} is not compared with its base: {present.fault}.', []
    try:
        base = base_config(present.path, present.variants)
        bases = names_of_bases(present.path)
    except Exception as error:
        if not is_user_error(error):
            raise
        return f'{named} is not compared with its base: {describe_error(error)}.', []
    if base is None:
        return f'{named} inherits from no other config.', []
    found = config_changes([base, present.cfg.to_dict()])
    text = f'{named} inherits from {bases}'
    if not found:
        return f'{text}, and changes nothing that a result depends on.', []
    given = [f'{name}={value}' for name, value in present.variants.items()]
    given += present.options
    return f'{text}{"; given were " + ", ".join(given) if given else ""}.', found


def _may_run(file: Path, place: Path, work_dir: Path) -> bool:
    """Return whether a config is the user's or this library's, and not the work dir's."""
    if is_shipped_config(file):
        return True
    return file.is_relative_to(place.resolve()) and not file.is_relative_to(work_dir)


def _dict(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
