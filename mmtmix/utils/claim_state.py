"""A claim file as another process sees it, and whether its holder still works.

The evidence, in this order:

1. Another process has the kernel's lock on the file: the holder works. A free lock means nothing
   alone, since many file systems don't share locks between machines.
2. The holder's number belongs to this machine, this run of its kernel and this set of process
   numbers: without such a process, or with a later one of that number, the holder is dead.
3. The holder renews the file. A change means that it works. No change for :data:`DEAD_AFTER`
   seconds of watching means that it is dead.

Watching measures this process's own monotonic time. Times of files are compared with earlier
times of the same file, so a wrong clock does no harm. Two times of different files are compared in
one case: a claim that is a day older than a file written now is dead without watching.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import time
from collections.abc import Hashable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from .holder import Holder

try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None  # type: ignore[assignment]

BEAT = 20.0
"""Seconds between two renewals."""

DEAD_AFTER = 150.0
"""Seconds of watching without a renewal after which the holder of a claim is dead."""

LONG_DEAD = 86400.0
"""Seconds, by the file system's times, after which a claim is dead without watching."""


@dataclass(frozen=True)
class Found:
    """A claim file at one moment.

    Attributes:
        holder: Process that made it; None if the file is empty or damaged.
        is_locked: Whether another process has its lock; None where the file system has no locks.
        name: Name of the claim in names of files. Two claims of one thing have different ones.
        state: Value that each renewal changes.
        renewed: Time of the last renewal, by the file system, in seconds.
    """

    holder: Holder | None
    is_locked: bool | None
    name: str
    state: Hashable
    renewed: float

    @property
    def is_working(self) -> bool | None:
        """Whether the holder works; None if only its renewals can show it."""
        if self.is_locked:
            return True
        if self.holder is None or not self.holder.is_here:
            return None
        # this process does not search for a claim that it holds
        if self.holder.pid == os.getpid() or not self.holder.is_alive:
            return False
        return True if self.is_locked is None else None


def find_claim(path: Path) -> Found | None:
    """Read a claim file, which this process must not hold: closing it would release the lock.

    Args:
        path: Path of the claim file.

    Returns:
        The claim; None if there is none, or if it vanished meanwhile.
    """
    try:
        # opening reads from a file server anew, where a mere stat may come from memory
        handle = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        is_locked = lock(handle, shared=True)
        content = os.read(handle, 1 << 16)
        found = os.fstat(handle)
        if not is_named(path, handle):
            return None
    finally:
        os.close(handle)
    try:
        holder = Holder.from_content(json.loads(content))
    except (ValueError, TypeError):
        holder = None
    name = holder.token if holder and holder.token.isalnum() else _digest(content, found.st_ino)
    state = (found.st_ino, found.st_mtime_ns, content)
    is_held = None if is_locked is None else not is_locked
    return Found(holder, is_held, name, state, found.st_mtime)


def lock(handle: int, shared: bool = False) -> bool | None:
    """Lock an open file for this process.

    Args:
        handle: The open file.
        shared: Whether other processes may have it too, if they share it likewise.

    Returns:
        Whether this process has it; None where the file system has no locks.
    """
    if fcntl is None:
        return None
    try:
        # of the process, not of the open file: workers that it forks must not hold it
        fcntl.lockf(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):  # by POSIX either
        return False
    except OSError:
        return None
    return True


def is_named(path: str | os.PathLike, handle: int) -> bool:
    """Return whether an open file still has its name.

    Args:
        path: The name.
        handle: The open file.
    """
    try:
        return os.path.samestat(os.stat(path), os.fstat(handle))
    except OSError:  # gone, or on a file server the handle is
        return False


@dataclass
class _Watched:
    state: Hashable
    last: float
    quiet: float = 0.0


@dataclass
class Watch:
    """Claims that are watched for renewals, over any number of checks."""

    _watched: dict[Path, _Watched] = field(default_factory=dict)

    def is_working(self, path: Path, found: Found) -> bool | None:
        """Return whether the holder of a claim works; None if that is unknown yet.

        Args:
            path: Path of the claim file.
            found: What is there now.
        """
        shown = found.is_working
        if shown is not None:
            self._watched.pop(path, None)
            return shown
        now, seen = time.monotonic(), self._watched.get(path)
        if seen is None or seen.state != found.state:
            self._watched[path] = _Watched(found.state, now)
            if seen is not None:
                return True
            return False if age_of(path, found) > LONG_DEAD else None
        # neither a stop of this process nor one of the file server counts for longer than a beat
        seen.quiet += min(now - seen.last, BEAT)
        seen.last = now
        return False if seen.quiet >= DEAD_AFTER else None

    def left(self, path: Path) -> float:
        """Return for how many seconds a claim has to be watched still, at most.

        Args:
            path: Path of the claim file.
        """
        seen = self._watched.get(path)
        return DEAD_AFTER - (seen.quiet if seen else 0)


def age_of(path: Path, found: Found) -> float:
    """Return the seconds since a claim was renewed, by the file system; 0 if unknown.

    Args:
        path: Path of the claim file.
        found: What is there.
    """
    with (
        suppress(OSError),
        tempfile.NamedTemporaryFile(dir=path.parent, prefix=f'.{path.name}.now.') as file,
    ):
        return os.stat(file.name).st_mtime - found.renewed
    return 0.0


def _digest(content: bytes, number: int) -> str:
    return hashlib.sha256(content + str(number).encode()).hexdigest()[:12]
