"""What lies in a work dir: record, config, log and pictures, each where it is whole."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmtmix.engine.newest_checkpoint import newest_checkpoint
from mmtmix.engine.run_record import read_record, state_of
from mmtmix.visualization import Scalars, read_scalars

from .config_text import read_config_text

_LAST = 'last.pth'
_MARKS = ('run.json', '*/vis_data', '*/*.log', '*.pth', 'last_checkpoint')
_MOST_NAMED = 5


@dataclass
class WorkDir:
    """The content of a work dir.

    Attributes:
        path: Path as the user gave it.
        record: Content of ``run.json``; empty if there is none, or it is damaged.
        state: Present state from :func:`~mmtmix.engine.run_record.state_of`; None if unknown.
        config: Config of the newest training, as MMEngine wrote it; empty if there is none.
        scalars: Log over all attempts; None if there is none.
        checkpoint: Last checkpoint; None if there is none.
        faults: Sentences about what is damaged or missing.
    """

    path: Path
    record: Mapping[str, Any] = field(default_factory=dict)
    state: str | None = None
    config: Mapping[str, Any] = field(default_factory=dict)
    scalars: Scalars | None = None
    checkpoint: Path | None = None
    faults: list[str] = field(default_factory=list)


def read_work_dir(path: str | os.PathLike) -> WorkDir:
    """Read what a work dir holds; what is damaged becomes a sentence in ``faults``.

    Args:
        path: Work dir of a run, by whatever tool of MMEngine it was made.

    Returns:
        Its content.

    Raises:
        FileNotFoundError: If there is no such folder, or it holds nothing of a run.
        NotADirectoryError: If it is a file.
    """
    folder = Path(path)
    check_work_dir(folder)
    found = WorkDir(folder)
    try:
        found.record = _well_typed(read_record(folder), found.faults)
        found.state = state_of(folder, found.record) if found.record else None
    except (ValueError, OSError) as error:
        found.faults.append(f'The record of the run cannot be read: {error}.')
    found.config = _read_config(found)
    is_generation = 'generation' in found.config
    try:
        found.scalars = read_scalars(folder)
        found.scalars.epoch_length  # noqa: B018  # a record without its step is found now
    except FileNotFoundError:
        if not is_generation:
            found.faults.append(
                'There is no log of a training (*/vis_data/scalars.json): the run was stopped '
                'before its first line, or its visualizer had no LocalVisBackend.'
            )
    except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
        found.faults.append(f'The log of the training is damaged: {error}.')
        found.scalars = None
    last = folder / _LAST
    found.checkpoint = last if last.is_file() else newest_checkpoint(folder)
    return found


def check_work_dir(folder: Path) -> None:
    """Refuse a folder that holds nothing of a run.

    Args:
        folder: Path that the user gave.

    Raises:
        FileNotFoundError: If there is no such folder, or it holds nothing of a run.
        NotADirectoryError: If it is a file.
    """
    if folder.is_file():
        raise NotADirectoryError(
            f'WORK_DIR {str(folder)!r} is a file; give the work dir that holds it: '
            f'{str(folder.parent)!r}'
        )
    if not folder.is_dir():
        raise FileNotFoundError(
            f'WORK_DIR {str(folder)!r} does not exist; give the folder of a run, which '
            '`mmtmix train` names in its first line'
        )
    if _is_work_dir(folder):
        return
    below = sorted(
        {path for depth in ('*', '*/*') for path in folder.glob(depth) if _is_work_dir(path)}
    )
    hint = 'give the folder of a run, which holds run.json or <timestamp>/vis_data'
    if below:
        more = f' and {len(below) - _MOST_NAMED} more' if len(below) > _MOST_NAMED else ''
        hint = f'give one or several of {", ".join(map(str, below[:_MOST_NAMED]))}{more}'
    raise FileNotFoundError(f'WORK_DIR {str(folder)!r} holds nothing of a run; {hint}')


def training_folders(folder: Path) -> list[Path]:
    """Return the folders of a work dir's attempts, ``<timestamp>/vis_data``, oldest first.

    Args:
        folder: Work dir.
    """
    return sorted(path for path in folder.glob('*/vis_data') if path.is_dir())


_TYPES: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(('config', 'digest', 'state', 'started', 'updated', 'host'), (str,)),
    **dict.fromkeys(('device', 'precision', 'error'), (str,)),
    **dict.fromkeys(('variants', 'versions'), (dict,)),
    **dict.fromkeys(('options', 'changes', 'progress', 'earlier'), (list,)),
    **dict.fromkeys(('seed', 'attempts', 'processes'), (int,)),
    'seconds': (int, float),
}


def _well_typed(record: Mapping[str, Any], faults: list[str]) -> dict[str, Any]:
    """Return a record without fields of a wrong type, each of which becomes a fault."""
    kept = dict(record)
    for name, types in _TYPES.items():
        value = record.get(name)
        if value is not None and not isinstance(value, types):
            faults.append(f'The record of the run is damaged: {name} is {value!r}.')
            del kept[name]
    return kept


def _is_work_dir(folder: Path) -> bool:
    return folder.is_dir() and any(any(folder.glob(mark)) for mark in _MARKS)


def _read_config(found: WorkDir) -> dict[str, Any]:
    """Return the config of the newest training; a test leaves one without training."""
    folders = training_folders(found.path)
    candidates = [folder / 'config.py' for folder in reversed(folders)]
    candidates += sorted(found.path.glob('*.py'))
    config: dict[str, Any] = {}
    for file in candidates:
        try:
            read = read_config_text(file)
        except FileNotFoundError:
            continue
        except (ValueError, OSError) as error:
            found.faults.append(f'A copy of the config cannot be read: {error}.')
            continue
        if read.get('train_cfg') or 'generation' in read:
            return read
        config = config or read
    if not config:
        found.faults.append('No copy of the config is in the work dir.')
    return config
