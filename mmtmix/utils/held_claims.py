"""The claims that this process holds, and the thread that renews them."""

from __future__ import annotations

import errno
import json
import os
import threading
import time
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from . import claim_state
from .claim_state import is_named, lock
from .holder import Holder

_LOCK_TRIES, _LOCK_PAUSE = 50, 0.01  # others hold a shared lock while they read the claim


class Claim:
    """A thing that this process works on, until :meth:`release` or the process's end.

    Args:
        path: The claim file, which exists and is empty.
        handle: The open file.

    Attributes:
        path: The claim file.
        holder: This process.
        is_new: Whether the folder was made for it, and is removed again if it stays empty.

    Raises:
        OSError: If the file can't be written to.
    """

    def __init__(self, path: Path, handle: int):
        self.path = path
        self.holder = Holder.here()
        self.is_new = False
        self._handle = handle
        self._is_over = False
        self._beats = 0
        self._busy = threading.Lock()  # the number of a closed file may be another file's
        for _ in range(_LOCK_TRIES):
            if lock(handle) is not False:
                break
            time.sleep(_LOCK_PAUSE)
        self._write()
        here.claims[path] = self
        here.start_renewal()

    def is_valid(self) -> bool:
        """Return whether the claim file is still this process's.

        Another process may have taken it over while this one was stopped for minutes.
        """
        return not self._is_over and is_named(self.path, self._handle)

    @property
    def is_lost(self) -> bool:
        """Whether another process has taken it over, or has deleted its file.

        A file server that does not answer proves nothing.
        """
        with self._busy:
            if self._is_over:
                return False
            try:
                return not os.path.samestat(os.stat(self.path), os.fstat(self._handle))
            except OSError as error:
                return error.errno in (errno.ENOENT, errno.ESTALE)

    def release(self) -> None:
        """Release the thing; nothing happens in a forked process or a second time."""
        if os.getpid() == self.holder.pid and not self._is_over:
            try:
                # a failure here must not hide the error that ended the work
                with suppress(OSError):
                    if is_named(self.path, self._handle):
                        # before the lock is released, since another process may take it then
                        self.path.unlink()
                        if self.is_new:
                            self.path.parent.rmdir()  # fails where something is in it
            finally:
                self.drop()

    def drop(self) -> None:
        """Close the file without deleting it."""
        with here.guard:
            if here.claims.get(self.path) is self:
                del here.claims[self.path]
            with self._busy:
                self._is_over = True
                os.close(self._handle)

    def renew(self) -> None:
        """Change the file, so that others see that this process works."""
        with self._busy:
            if not self._is_over:
                self._beats += 1
                # the file system may be away or full for a while
                with suppress(OSError):
                    self._write()
                if os.utime in os.supports_fd:
                    with suppress(OSError):
                        os.utime(self._handle)

    def move(self, path: Path) -> bool:
        """Rename the file, and return whether this process holds the new name.

        Args:
            path: Path of a dead claim.
        """
        with here.guard:
            if path in here.claims:
                return False
            with suppress(FileNotFoundError):  # another process has taken it over
                os.rename(self.path, path)
            del here.claims[self.path]
            self.path = path
            here.claims[path] = self
            return self.is_valid()

    def _write(self) -> None:
        """Write the holder and the number of renewals, always as many bytes."""
        content = asdict(self.holder) | {'renewals': f'{self._beats:012d}'}
        os.lseek(self._handle, 0, os.SEEK_SET)
        os.write(self._handle, json.dumps(content, indent=1).encode() + b'\n')
        os.fsync(self._handle)


class HeldClaims:
    """All claims of a process, which one thread renews.

    Attributes:
        claims: The claims by the paths of their files.
        guard: Lock for changes of ``claims`` and of their files by the threads of the process.
    """

    def __init__(self) -> None:
        self.claims: dict[Path, Claim] = {}
        self.guard = threading.RLock()
        self._has_new = threading.Event()
        self._thread: threading.Thread | None = None

    def start_renewal(self) -> None:
        """Start the thread, unless it runs."""
        self._has_new.set()
        if self._thread is None:
            self._thread = threading.Thread(
                target=self._renew, name='renewal of claims', daemon=True
            )
            self._thread.start()

    def _renew(self) -> None:
        due = time.monotonic()
        while True:
            self._has_new.wait(max(0.0, due - time.monotonic()))
            self._has_new.clear()
            if time.monotonic() >= due:
                with self.guard:
                    claims = list(self.claims.values())
                for claim in claims:
                    claim.renew()
                due = time.monotonic() + claim_state.BEAT
            due = min(due, time.monotonic() + claim_state.BEAT)


here = HeldClaims()
"""The claims of this process."""

if hasattr(os, 'register_at_fork'):  # not on Windows
    # a forked process holds nothing, and other threads may have held the locks at that moment
    os.register_at_fork(after_in_child=here.__init__)  # type: ignore[misc]
