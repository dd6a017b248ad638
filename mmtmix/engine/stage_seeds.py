"""Required runs of their own for each seed of a run, in place of those that all seeds share.

The field ``stage_seeds`` of a config sets what is added to the seed of each run that it requires,
directly or through another one: a number, or ``'run'`` for the seed of the run itself. With 10, a
required run of seed 100 has seed 110, and ``FOLDER-stage_seeds=10`` in place of ``FOLDER``. So
runs with the same number share what they require, and no others do.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from mmengine.config import Config

from mmtmix.utils import load_config
from mmtmix.utils.config_options import flat_options

STAGE_SEEDS = 'stage_seeds'
"""Field of a config with the number that is added to the seeds of required runs."""
OF_RUN = 'run'
"""Value of the field that stands for the seed of the run itself."""


def stage_shift(cfg: Config, config: str, seed: int | None = None) -> int | None:
    """Return what a config adds to the seeds of the runs that it requires.

    Args:
        cfg: Content of the config.
        config: Path of the config, for messages.
        seed: Seed of the run, >= 0; by default that of the config.

    Returns:
        The number, >= 0; None if the runs of all seeds share what they require.

    Raises:
        ValueError: If the field has another value, or the run has no seed.
    """
    value = cfg.get(STAGE_SEEDS)
    if value is None:
        return None
    if value == OF_RUN:
        value = seed if seed is not None else seed_in(cfg)
        if value is None:
            raise ValueError(
                f"{STAGE_SEEDS}='{OF_RUN}' of {config} needs the run's seed; give "
                'randomness.seed=NUMBER'
            )
    if type(value) is not int or value < 0:
        raise ValueError(
            f"{STAGE_SEEDS} of {config} must be a whole number >= 0, or '{OF_RUN}', got {value!r}"
        )
    return value


def seed_in(cfg: Mapping[str, Any]) -> int | None:
    """Return the seed in a config; None if it has none and the Runner chooses one.

    Args:
        cfg: Content of the config; with ``generation``, the seed of that counts.
    """
    held = cfg.get('generation') or cfg.get('randomness') or {}
    seed = held.get('seed', 0 if 'generation' in cfg else None)
    return seed if isinstance(seed, int) else None


def shift_entry(needed: dict[str, Any], shift: int, config: str) -> dict[str, str]:
    """Change an entry of ``requires`` so that its run has a seed and a folder of its own.

    An entry that was changed before in the same way stays as it is.

    Args:
        needed: Entry with ``config`` and ``produces``, changed in place.
        shift: Number that is added to its seed, >= 0.
        config: Path of the config that requires it, for messages.

    Returns:
        The new folder by the former one; empty if the entry stays as it is.

    Raises:
        FileNotFoundError: If the required config does not exist.
        ValueError: If the required config has no seed, or the entry was changed for another one.
    """
    options = flat_options(needed.get('options') or {})
    if STAGE_SEEDS in options:
        if options[STAGE_SEEDS] != shift:  # as in the config that a run of another seed wrote
            raise ValueError(
                f'{config} requires {needed["produces"]} of {STAGE_SEEDS}={options[STAGE_SEEDS]}, '
                f'and its own seeds want {shift}; take the config from which it was written'
            )
        return {}
    cfg = load_config(needed['config'], options, needed.get('variants'))
    seed = seed_in(cfg)
    if seed is None:
        raise ValueError(
            f'{config} requires {needed["config"]} with a seed of its own ({STAGE_SEEDS}), and '
            'that config has none; give it randomness = dict(seed=NUMBER)'
        )
    name = 'generation.seed' if 'generation' in cfg else 'randomness.seed'
    needed['options'] = {**options, name: seed + shift, STAGE_SEEDS: shift}
    folder, file = os.path.split(os.path.normpath(needed['produces']))
    own = f'{folder}-{STAGE_SEEDS}={shift}'
    needed['produces'] = os.path.join(own, file)
    return {folder: own}


def move_paths(value: Any, folders: Mapping[str, str]) -> Any:
    """Return a value with paths in some folders moved to others; dicts and lists in place.

    Args:
        value: Value of a config, with dicts, lists and tuples inside.
        folders: New folder by the former one. The innermost folder of a path counts.
    """
    if isinstance(value, dict):
        for name in list(value):
            value[name] = move_paths(value[name], folders)
    elif isinstance(value, list):
        value[:] = [move_paths(item, folders) for item in value]
    elif isinstance(value, tuple):
        return tuple(move_paths(item, folders) for item in value)
    elif isinstance(value, str) and os.sep in value:
        path = os.path.normpath(value)
        for folder in sorted(folders, key=len, reverse=True):
            if path == folder or path.startswith(folder + os.sep):
                return folders[folder] + path.removeprefix(folder)
    return value


def shifted_content(content: dict[str, Any], shift: int) -> dict[str, Any]:
    """Return fields of a required run as they are for a run of seed 0.

    A digest of them is the same for all seeds of the run that requires it.

    Args:
        content: Fields of its config, by name.
        shift: What the run that requires it has added to its seed.
    """
    if not shift or content.get(STAGE_SEEDS) != shift:
        return content  # not one of those that were given a seed of their own
    field = 'generation' if 'generation' in content else 'randomness'
    seeded = {**content[field], 'seed': content[field]['seed'] - shift}
    return {**content, field: seeded, STAGE_SEEDS: 0}
