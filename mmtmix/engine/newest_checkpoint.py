"""Find the checkpoint that a run goes on from: the newest whole one."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from mmengine.config import Config
from mmengine.dist import broadcast_object_list, is_main_process

from mmtmix.utils import UnsafeCheckpointError, load_checkpoint

_POINTER = 'last_checkpoint'  # MMEngine's note of the newest file
_NAME = re.compile(r'(?:epoch|iter)_(\d+)\.pth')
_NEEDED = ('meta', 'state_dict', 'message_hub')  # what MMEngine's resuming reads


class Found(NamedTuple):
    """The checkpoint to resume from.

    Attributes:
        path: The newest whole one; None if there is none.
        faults: Why newer ones, or the note of the newest, are passed over; a line each.
    """

    path: Path | None
    faults: list[str]


def resume_newest(cfg: Config) -> None:
    """Have a run go on from the newest whole checkpoint of its work dir, if there is one.

    Prints what is passed over and what is taken in its place.

    Args:
        cfg: Complete, with ``work_dir``; ``resume`` and ``load_from`` are changed in place.
    """
    shared = [find_checkpoint(cfg.work_dir) if is_main_process() else None]
    broadcast_object_list(shared)  # all ranks go on from the same file
    found = shared[0]
    if found.path is not None:
        cfg.resume, cfg.load_from = True, str(found.path)
    if found.faults and is_main_process():
        goes_on = 'the run begins anew' if found.path is None else f'going on from {found.path}'
        print(f'{"; ".join(found.faults)}: {goes_on}', flush=True)


def find_checkpoint(work_dir: str | os.PathLike) -> Found:
    """Find the newest checkpoint of a work dir from which a run can go on.

    Each is read, and compared with its checksums: a full disk, a killed process or a copy that
    broke off leave damaged ones behind. The folder may have been moved since.

    Args:
        work_dir: The folder of the run.

    Raises:
        UnsafeCheckpointError: If the newest whole one would need unsafe loading.
    """
    faults: list[str] = []
    for path in _candidates(Path(work_dir), faults):
        try:
            missing = [name for name in _NEEDED if name not in load_checkpoint(path)]
        except UnsafeCheckpointError:
            raise  # a whole file: to begin anew would lose what it holds
        except (OSError, ValueError) as error:
            faults.append(str(error))
            continue
        if not missing:
            return Found(path, faults)
        faults.append(f'checkpoint {str(path)!r} has no {", ".join(missing)}')
    return Found(None, faults)


def newest_checkpoint(work_dir: str | os.PathLike) -> Path | None:
    """Return the newest checkpoint by its name, without reading it; None if there is none."""
    return next(_candidates(Path(work_dir), []), None)


def _candidates(folder: Path, faults: list[str]) -> Iterator[Path]:
    """Yield the checkpoints of a folder, those first that are rather the newest of its run."""
    files = sorted(folder.glob('*.pth'), key=_number, reverse=True)
    files = [file for file in files if _number(file) >= 0]
    pointer = folder / _POINTER
    named = _named(pointer, folder) if pointer.is_file() else None
    if named is None:
        if files:
            faults.append(f'{pointer} is missing or damaged')
        yield from files
        return
    if not named.is_file():
        faults.append(f'checkpoint {str(named)!r} does not exist')
    else:
        yield named
    # later ones than the newest are of another run in this folder
    number = _number(named)
    older = [file for file in files if _number(file) < number]
    yield from older if number >= 0 else files


def _named(pointer: Path, folder: Path) -> Path | None:
    """Return the checkpoint that a note names, in its folder if that was moved."""
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
