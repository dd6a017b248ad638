"""Whose a folder is: the process that works there, and whether that is still this one."""

from __future__ import annotations

import os
import time
from pathlib import Path

from .claim_state import DEAD_AFTER, age_of, find_claim
from .claims import CLAIM_FILE, ClaimedError
from .held_claims import here
from .holder import Holder

_SETTLING = 1.0  # seconds in which machines see what others have renamed


class LostClaimError(ClaimedError):
    """The claim of this process has been taken over while it stood still, or was deleted."""

    def __str__(self) -> str:
        return (
            f'{self.folder} is no longer claimed by this process: {self.who} has taken it over '
            f'while this one stood still, or {self.path} was deleted. This process ends, and '
            'writes nothing more there. The same command goes on from what is there'
        )


def has_lost(folder: str | os.PathLike) -> bool:
    """Return whether this process has claimed a folder, and has lost it to another one.

    Args:
        folder: The folder.
    """
    claim = here.claims.get(Path(os.path.realpath(folder), CLAIM_FILE))
    return claim is not None and claim.is_lost


def check_claim(folder: str | os.PathLike) -> None:
    """Raise an error if this process has lost the folder that it has claimed.

    Args:
        folder: The folder. One that this process has not claimed passes.

    Raises:
        LostClaimError: If another process has taken it over.
    """
    if not has_lost(folder):
        return
    time.sleep(_SETTLING)
    if has_lost(folder):
        path = Path(os.path.realpath(folder), CLAIM_FILE)
        found = find_claim(path)  # it is not this process's, so no lock is released
        raise LostClaimError(path, found.holder if found else None)


def living_holder(folder: str | os.PathLike) -> Holder | None:
    """Return the living process that works in a folder, without claiming it; None if none does.

    Where only renewals can show whether a holder works, it counts as alive for
    :data:`~mmtmix.utils.claim_state.DEAD_AFTER` after the last one, by the clock of the file
    system. That is an estimate for tables. Whoever starts work in the folder claims it.

    Args:
        folder: The folder, which may be missing.
    """
    path = Path(os.path.realpath(folder), CLAIM_FILE)
    if path in here.claims:  # closing a second handle would release the lock of the first
        return here.claims[path].holder
    try:
        found = find_claim(path)
    except OSError:  # of another user
        return None
    if found is None or found.is_working is False:
        return None
    if found.is_working is None and age_of(path, found) >= DEAD_AFTER:
        return None
    return found.holder
