"""Claims for which a process waits until another one has ended, or has done the work."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from .claim_state import Watch
from .claims import ClaimedError, claim_file, claim_folder
from .held_claims import Claim


def wait_for_folder(
    folder: str | os.PathLike,
    is_done: Callable[[], bool],
    report: Callable[[str], object] = print,
    poll: float = 5.0,
) -> Claim | None:
    """Claim a folder, once another process that works there has ended.

    Args:
        folder: The folder; it is made if need be.
        is_done: Function that returns whether the work is done, so that no claim is needed.
        report: Function that takes one line about the process that works there.
        poll: Seconds between two attempts.

    Returns:
        The claim, or None if the work is done.

    Raises:
        OSError: If the folder can't be written to.
        ValueError: If this process has claimed it already.
    """
    return _wait_for(lambda: claim_folder(folder, report), is_done, report, poll)


def wait_for_file(
    path: str | os.PathLike,
    is_done: Callable[[], bool],
    report: Callable[[str], object] = print,
    poll: float = 0.5,
) -> Claim | None:
    """Claim a file, once another process that makes it has ended.

    Args:
        path: Path of the file to make.
        is_done: Function that returns whether it is made, so that no claim is needed.
        report: Function that takes one line about the process that makes it.
        poll: Seconds between two attempts.

    Returns:
        The claim, or None if the file is made.

    Raises:
        OSError: If the folder can't be written to.
    """
    watch = Watch()
    return _wait_for(lambda: claim_file(path, watch), is_done, report, poll)


def _wait_for(
    claim: Callable[[], Claim],
    is_done: Callable[[], bool],
    report: Callable[[str], object],
    poll: float,
) -> Claim | None:
    is_told = False
    while not is_done():
        try:
            held = claim()
        except ClaimedError as error:
            if not is_told:
                report(
                    f'waiting for {error.who}, which works in {error.folder}; if it is no longer '
                    f'there, delete {error.path}'
                )
            is_told = True
            time.sleep(poll)
            continue
        if not is_done():
            return held
        held.release()  # it was done between two attempts
        break
    return None
