"""Find the checkpoint from which a run continues: the newest whole one."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from mmengine.config import Config
from mmengine.dist import is_main_process

from mmtmix.utils import (
    UnsafeCheckpointError,
    check_finite_weights,
    load_checkpoint,
    without_masks,
)

from .claims import on_main_process

LAUNCH = 'launch'
"""Name of the entry of a checkpoint's ``meta`` with the launch that wrote it."""

_POINTER = 'last_checkpoint'  # MMEngine's note of the newest file
_NAME = re.compile(r'(?!best_)(?:.*\D)?(\d+)\.pth')  # whatever the filename_tmpl
_OTHERS = 3  # checkpoints of other launches that are read in search of one's own
_NEEDED = ('meta', 'state_dict', 'message_hub')  # MMEngine's resuming reads these


class Found(NamedTuple):
    """The checkpoint to resume from.

    Attributes:
        path: Path of the newest whole one, or the address in MMEngine's note; None if there is
            none.
        faults: Faults of newer ones, and of the note, a line each.
    """

    path: Path | str | None
    faults: list[str]


def resume_newest(cfg: Config, is_own: Callable[[Mapping[str, Any]], bool] | None = None) -> None:
    """Set a config to continue from the newest whole checkpoint of its work dir, if any.

    It prints which newer checkpoints are damaged, and which one is used.

    Args:
        cfg: Complete config with ``work_dir``; ``resume`` and ``load_from`` are set in place.
        is_own: Function that returns, by the ``meta`` of a checkpoint, whether it is of this run.
            Those of other runs don't count. None if all count.
    """
    # all ranks continue from the same file, however long the reading takes
    found = on_main_process(lambda: find_checkpoint(cfg.work_dir, is_own=is_own))
    if found.path is not None:
        cfg.resume, cfg.load_from = True, str(found.path)
    if found.faults and is_main_process():
        goes_on = 'the run begins anew' if found.path is None else f'going on from {found.path}'
        print(f'{"; ".join(found.faults)}: {goes_on}', flush=True)


def find_checkpoint(
    work_dir: str | os.PathLike,
    launch: str | None = None,
    is_own: Callable[[Mapping[str, Any]], bool] | None = None,
) -> Found:
    """Find the newest checkpoint of a work dir from which a run can continue.

    Each is read, and compared with its checksums, since a full disk, a killed process or an
    incomplete copy leave damaged ones. The folder may have been moved since.

    Args:
        work_dir: Work dir of the run.
        launch: Name of a launch, from :func:`~mmtmix.engine.restarts.launch_id`, whose checkpoints
            alone count; None for any. Those in a storage service are not read, and don't count.
        is_own: Function that returns, by the ``meta`` of a checkpoint, whether it counts.

    Raises:
        UnsafeCheckpointError: If the newest whole one would need unsafe loading.
    """
    faults: list[str] = []
    others = 0
    if address := _address(Path(work_dir, _POINTER)):
        # in a storage service, which MMEngine reads
        return Found(address if launch is None else None, faults)
    for path in _candidates(Path(work_dir), faults):
        try:
            content = load_checkpoint(path)
            missing = [name for name in _NEEDED if name not in content]
            weights = without_masks(content.get('state_dict') or {})
            check_finite_weights(weights, f'checkpoint {str(path)!r}')
        except UnsafeCheckpointError:
            raise  # the file is whole, and a new start would lose its content
        except (OSError, ValueError) as error:
            faults.append(str(error))
            continue
        if missing:
            faults.append(f'checkpoint {str(path)!r} has no {", ".join(missing)}')
            continue
        is_of_run = is_own is None or is_own(content['meta'])
        if is_of_run and launch in (None, content['meta'].get(LAUNCH)):
            return Found(path, faults)
        if not is_of_run:
            faults.append(f'checkpoint {str(path)!r} is of another run')
        others += 1
        if others == _OTHERS:
            break
    return Found(None, faults)


def newest_checkpoint(work_dir: str | os.PathLike) -> Path | None:
    """Return the newest checkpoint by its name, without reading it; None if there is none.

    Args:
        work_dir: Work dir of the run.
    """
    return next(_candidates(Path(work_dir), []), None)


def _candidates(folder: Path, faults: list[str]) -> Iterator[Path]:
    """Yield the checkpoints of a run, newest first."""
    pointer = folder / _POINTER
    named = _named(pointer, folder) if pointer.is_file() else None
    place = folder if named is None else named.parent  # CheckpointHook(out_dir=...) has its own
    files = sorted(place.glob('*.pth'), key=_number, reverse=True)
    files = [file for file in files if _number(file) >= 0]
    if named is None:
        if files:
            faults.append(f'{pointer} is missing or damaged')
        yield from files
        return
    number, noted = _number(named), pointer.stat().st_mtime
    later = [file for file in files if _number(file) > number >= 0]
    # a kill between a checkpoint and its note leaves a later one that is newer than the note
    newer = [file for file in later if file.stat().st_mtime > noted]
    yield from newer
    if named.is_file():
        yield named
    else:
        faults.append(f'checkpoint {str(named)!r} is not there')
    yield from (file for file in files if file != named and file not in later)
    yield from (file for file in later if file not in newer)  # probably of another run


def _address(pointer: Path) -> str | None:
    try:
        text = pointer.read_text(encoding='utf-8').strip()
    except (OSError, UnicodeDecodeError):
        return None
    return text if '://' in text else None


def _named(pointer: Path, folder: Path) -> Path | None:
    """Return the checkpoint in a note, in its present folder if that was moved."""
    try:
        text = pointer.read_text(encoding='utf-8').strip()
    except (OSError, UnicodeDecodeError):
        return None
    name = os.path.basename(text)
    if not name.endswith('.pth') or '\0' in text:
        return None
    return folder / name if (folder / name).is_file() else Path(text)


def _number(file: Path) -> int:
    match = _NAME.fullmatch(file.name)
    return int(match[1]) if match else -1
