"""The process that works in a folder, seen by one that only reads."""

from __future__ import annotations

import os
from pathlib import Path

from .claim_state import DEAD_AFTER, age_of, find_claim
from .claims import CLAIM_FILE
from .held_claims import here
from .holder import Holder


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
