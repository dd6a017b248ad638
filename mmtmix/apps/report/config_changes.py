"""Differences between configs, and between a config and those that it inherits from."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from mmtmix.engine.digest_content import FIELDS, WATCHERS
from mmtmix.utils import load_config
from mmtmix.utils.config import declared_variants
from mmtmix.utils.config_paths import SCOPE

from .config_text import read_config_text

ABSENT = '—'
"""Text for a value that a config does not have."""

_LONGEST = 240  # characters of a value that are shown
_HIDDEN = frozenset({'env_cfg', 'default_scope'})  # no result depends on them
# what our commands, and MMPretrain's, fill in
_FILLED = frozenset({'pin_memory', 'persistent_workers', 'collate_fn', 'worker_init_fn'})


class Change(NamedTuple):
    """A field in which configs differ.

    Attributes:
        key: Name with dots, such as ``'optim_wrapper.optimizer.lr'``.
        values: Value in each config, as text; :data:`ABSENT` where it is missing.
    """

    key: str
    values: tuple[str, ...]


def config_changes(configs: Sequence[Mapping[str, Any]]) -> list[Change]:
    """Return the fields in which configs differ, of those that a result depends on.

    Hooks that only watch a run, and what the commands fill into data loaders, are left out. Lists
    of one length are compared item by item.

    Args:
        configs: Contents of two or more configs.

    Returns:
        The changes, in the order of their names.
    """
    names = sorted({name for config in configs for name in config if name in FIELDS - _HIDDEN})
    found: list[Change] = []
    for name in names:
        found += _changes(name, [config.get(name, _NOTHING) for config in configs])
    return found


def base_config(path: Path, variants: Mapping[str, str]) -> dict[str, Any] | None:
    """Return what a config inherits, as if it had nothing of its own.

    Args:
        path: Path of the config.
        variants: Values of its variants by name; those that a base declares are passed on.

    Returns:
        The merged content of its ``_base_``; None if it inherits from no other.

    Raises:
        FileNotFoundError: If a base does not exist.
        ValueError: If a base is no valid config.
    """
    bases = read_config_text(path).get('_base_') or []
    bases = [bases] if isinstance(bases, str) else list(bases)
    if not bases:
        return None
    # MMEngine merges them itself: a file beside nothing that inherits from the same
    absolute = [
        name if '::' in name or '://' in name else os.path.abspath(path.parent / name)
        for name in map(str, bases)
    ]
    with tempfile.TemporaryDirectory() as folder:
        alone = Path(folder, path.name)
        alone.write_text(f'_base_ = {absolute!r}\n', encoding='utf-8')
        declared = declared_variants(alone)
        passed = {name: value for name, value in variants.items() if name in declared}
        return load_config(alone, variants=passed).to_dict()


def names_of_bases(path: Path) -> str:
    """Return the names of the configs that a config inherits from, as text.

    Args:
        path: Path of the config.
    """
    bases = read_config_text(path).get('_base_') or []
    names = [bases] if isinstance(bases, str) else map(str, bases)
    return ', '.join(name.removeprefix(SCOPE).removeprefix('./') for name in names)


class _Nothing:
    """Stands for a value that a config does not have."""


_NOTHING = _Nothing()


def _changes(key: str, values: Sequence[Any]) -> Iterator[Change]:
    """Yield the differences of one field, by those of its parts where all have such."""
    values = [_watching_left_out(value) for value in values]
    if all(value == values[0] and type(value) is type(values[0]) for value in values[1:]):
        return
    # another type is another thing, whose arguments are not to be compared
    if _are_of_one_type(values):
        for name in sorted({name for value in values for name in value} - _FILLED):
            yield from _changes(f'{key}.{name}', [value.get(name, _NOTHING) for value in values])
        return
    is_list = all(isinstance(value, (list, tuple)) for value in values)
    if is_list and len({len(value) for value in values}) == 1:
        for number, parts in enumerate(zip(*values, strict=True)):
            yield from _changes(f'{key}.{number}', parts)
        return
    yield Change(key, tuple(map(_text, values)))


def _are_of_one_type(values: Sequence[Any]) -> bool:
    """Return whether all values are dicts that build the same, or nothing."""
    if not all(isinstance(value, Mapping) for value in values):
        return False
    return len({str(value.get('type')) for value in values}) == 1


def _watching_left_out(value: Any) -> Any:
    """Return a dict of hooks without those that only watch a run; other values as they are."""
    if isinstance(value, Mapping) and not isinstance(value.get('type'), str):
        return {name: item for name, item in value.items() if not _is_watcher(item)}
    return list(value) if isinstance(value, tuple) else value


def _is_watcher(value: Any) -> bool:
    kind = value.get('type') if isinstance(value, Mapping) else None
    return isinstance(kind, str) and kind.rpartition('.')[2] in WATCHERS | _ADDED


# hooks of our commands that change no result
_ADDED = frozenset({'ResumeConfigHook', 'SignalStopHook', 'PrecisionHook', 'LastCheckpointHook'})


def _text(value: Any) -> str:
    if value is _NOTHING:
        return ABSENT
    text = _plain(value)
    return text if len(text) <= _LONGEST else f'{text[: _LONGEST - 2]} …'


def _plain(value: Any) -> str:
    """Return a value in the notation of a config."""
    if isinstance(value, Mapping):
        kind = str(value.get('type') or 'dict')
        items = [f'{name}={_plain(item)}' for name, item in value.items() if name != 'type']
        return f'{kind}({", ".join(items)})'
    if isinstance(value, (list, tuple)):
        return f'[{", ".join(map(_plain, value))}]'
    return repr(value)
