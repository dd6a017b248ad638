"""Folders in which one process at a time works.

A claim is a file in the folder with the process that works there. On one machine the kernel's lock
on the file decides, which a dead process can't hold. Many file systems don't share such locks
between machines, so the holder also renews the file's time. A claim that is no longer renewed is
dead.
"""

from __future__ import annotations

import json
import os
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from .files import explaining_faults
from .holder import Holder
from .outputs import make_writable_folder

try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None  # type: ignore[assignment]

CLAIM_FILE = 'claim.json'
"""Name of the file, which exists while a process works in the folder, and after a kill."""

BEAT = 20.0
"""Seconds between two renewals."""

DEAD_AFTER = 150.0
"""Seconds without a renewal after which the holder on another machine is dead."""

_SETTLING = 1.0  # seconds in which writers without locks see each other
_held: dict[str, Claim] = {}


class ClaimedError(OSError):
    """Another process works in a folder.

    Args:
        path: Path of its claim file.
        holder: The process; None where the file does not name it.
    """

    def __init__(self, path: str | os.PathLike, holder: Holder | None = None):
        super().__init__(path, holder)  # its arguments, so that it can be pickled for other ranks
        self.who = 'another process' if holder is None else str(holder)
        self.folder, self.path = os.path.dirname(path), path

    def __str__(self) -> str:
        return (
            f'{self.folder} is in use by {self.who}; wait for its end, stop it, or give another '
            f'folder. If it is no longer there, delete {self.path}'
        )


class Claim:
    """A folder that this process works in, until :meth:`release` or the process's end.

    Args:
        path: The claim file.
        handle: The open file, locked where the file system has locks.
        is_new: Whether the folder was made for it, and is removed again if it stays empty.
    """

    def __init__(self, path: Path, handle: int, is_new: bool = False):
        self.path = path
        self.handle = handle
        self.is_new = is_new
        self.holder = Holder.here()
        self._is_over = threading.Event()
        os.ftruncate(handle, 0)
        os.lseek(handle, 0, os.SEEK_SET)
        os.write(handle, json.dumps(asdict(self.holder), indent=1).encode() + b'\n')
        _held[str(path)] = self
        threading.Thread(target=self._renew, name=f'claim of {path}', daemon=True).start()

    def release(self) -> None:
        """Release the folder; nothing happens in a forked process or a second time."""
        if os.getpid() == self.holder.pid and not self._is_over.is_set():
            try:
                # a failure here must not hide the error that ended the work
                with suppress(OSError):
                    if _is_named(self.path, self.handle):
                        # before the lock is released, since another process may take it then
                        self.path.unlink()
                        if self.is_new:
                            self.path.parent.rmdir()  # fails where something is in it
            finally:
                self.drop()

    def drop(self) -> None:
        """Close the file without deleting it."""
        self._is_over.set()
        del _held[str(self.path)]
        os.close(self.handle)

    def _renew(self) -> None:
        while not self._is_over.wait(BEAT):
            with suppress(OSError):  # the file system may be away for a while
                os.utime(self.path)


def claim_folder(folder: str | os.PathLike, say: Callable[[str], object] = print) -> Claim:
    """Claim a folder for this process.

    Args:
        folder: The folder; it is made if need be.
        say: Function that takes a line, if it takes minutes to find out whether a process on
            another machine still works there.

    Returns:
        The claim; its ``release`` frees the folder.

    Raises:
        ClaimedError: If another process works there; it names the process and what to do.
        OSError: If the folder can't be written to.
        ValueError: If this process has claimed it already.
    """
    path, shown = Path(os.path.realpath(folder), CLAIM_FILE), os.path.join(folder, CLAIM_FILE)
    # closing a second handle on the file would release the lock of the first one
    if str(path) in _held:
        raise ValueError(f'{folder} is the folder of two runs of this process; give each its own')
    is_new = not path.parent.exists()
    make_writable_folder(path.parent)
    handle, is_locked = _open(path)
    holder = _read(handle)
    if is_locked is False or (holder and _holds(holder, path, handle, is_locked, say)):
        os.close(handle)
        raise ClaimedError(shown, holder)
    claim = Claim(path, handle, is_new)
    # machines may have locks of their own, which do not see each other
    if is_locked is None or (holder and not holder.is_here):
        time.sleep(_SETTLING)
        if (found := _read(handle)) != claim.holder:  # the last one of those who wrote has it
            claim.drop()
            raise ClaimedError(shown, found)
    return claim


def wait_for_folder(
    folder: str | os.PathLike,
    is_done: Callable[[], bool],
    say: Callable[[str], object] = print,
    poll: float = 5.0,
) -> Claim | None:
    """Claim a folder, once another process that works there has ended.

    Args:
        folder: The folder; it is made if need be.
        is_done: Function that returns whether the work is done, so that no claim is needed.
        say: Function that takes one line about the process that works there.
        poll: Seconds between two attempts.

    Returns:
        The claim, or None if the work is done.

    Raises:
        OSError: If the folder can't be written to.
        ValueError: If this process has claimed it already.
    """
    is_told = False
    while not is_done():
        try:
            claim = claim_folder(folder, say)
        except ClaimedError as error:
            if not is_told:
                say(
                    f'waiting for {error.who}, which works in {error.folder}; if it is no longer '
                    f'there, delete {error.path}'
                )
            is_told = True
            time.sleep(poll)
            continue
        if not is_done():
            return claim
        claim.release()  # it was done between two attempts
        break
    return None


def _open(path: Path) -> tuple[int, bool | None]:
    """Open a claim file and lock it; also returns what :func:`_lock` does."""
    while True:
        with explaining_faults(path):
            path.parent.mkdir(parents=True, exist_ok=True)  # its last holder may have removed it
            handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        is_locked = _lock(handle)
        if is_locked is False or _is_named(path, handle):
            return handle, is_locked
        os.close(handle)  # its holder gave it back and deleted it meanwhile


def _lock(handle: int) -> bool | None:
    """Lock a file; False if another process has, None where the file system has no locks."""
    if fcntl is None:
        return None
    try:
        # of the process, not of the open file: workers that it forks must not hold it
        fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):  # by POSIX either
        return False
    except OSError:
        return None
    return True


def _is_named(path: Path, handle: int) -> bool:
    """Return whether an open file still has its name."""
    try:
        return os.path.samestat(os.stat(path), os.fstat(handle))
    except FileNotFoundError:
        return False


def _holds(
    holder: Holder,
    path: Path,
    handle: int,
    is_locked: bool | None,
    say: Callable[[str], object],
) -> bool:
    """Return whether the process of a claim still works, although its lock is not visible."""
    if holder.is_here:
        return not is_locked and holder.is_alive
    # both times are by the clock of the file system, since clocks of machines differ
    renewed = os.stat(handle).st_mtime
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix='.now.') as file:
        left = DEAD_AFTER - (os.stat(file.name).st_mtime - renewed)
    if left > 0:
        say(f'{path.parent}: waiting up to {left:.0f} s to find out whether {holder} still works')
    end = time.monotonic() + left
    while time.monotonic() < end:
        try:
            if os.stat(path).st_mtime != renewed:
                return True
        except FileNotFoundError:  # given back meanwhile: the next try gets it
            return True
        time.sleep(min(1.0, DEAD_AFTER / 10))
    return False


def _read(handle: int) -> Holder | None:
    """Return the process of an open claim; None if it is empty or damaged."""
    try:
        return Holder(**json.loads(_content(handle)))
    except (ValueError, TypeError):
        return None


def _content(handle: int) -> bytes:
    os.lseek(handle, 0, os.SEEK_SET)
    return os.read(handle, 1 << 16)
