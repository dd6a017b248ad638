"""The process that works in a folder, seen by one that only reads."""

from __future__ import annotations

import json
import os
import tempfile
import time
from dataclasses import fields
from pathlib import Path

from . import claims
from .holder import Holder

QUIET = 150.0
"""Seconds without a renewal after which a holder on another machine counts as dead."""


def living_holder(folder: str | os.PathLike) -> Holder | None:
    """Return the living process that works in a folder, without claiming it; None if none does.

    A holder on another machine is alive if its claim was renewed within :data:`QUIET`, by the
    clock of the file system. That is an estimate for tables. Whoever starts work in the folder
    claims it.

    Args:
        folder: The folder, which may be missing.
    """
    path = Path(os.path.realpath(folder), claims.CLAIM_FILE)
    for held, claim in claims._held.items():
        if str(held) == str(path):  # closing a second handle would release the lock of the first
            return claim.holder
    try:
        content = json.loads(path.read_bytes())
        names = {field.name for field in fields(Holder)}
        holder = Holder(**{name: value for name, value in content.items() if name in names})
        renewed = path.stat().st_mtime
    except (OSError, ValueError, TypeError, AttributeError):  # none, or half-written
        return None
    if holder.is_here:
        return holder if holder.is_alive else None
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix='.now.') as file:
            now = os.stat(file.name).st_mtime
    except OSError:  # of a folder that can only be read
        now = time.time()
    return holder if now - renewed < QUIET else None
