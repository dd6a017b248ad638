"""Things that one process at a time works on: a folder, or a single file that is to be made.

A claim is a file beside the thing, with the process that works on it. :mod:`.claim_state`
defines when its holder counts as dead. What is assumed of the file system:

- Of two processes that create a file of one name exclusively (``O_EXCL``), one fails, also on two
  machines. NFS from version 3 on, Lustre, GPFS, CephFS, BeeGFS and local disks do this.
- Renaming is atomic.
- Opening a file reads its present content (NFS: close-to-open consistency, its default).
- A renewal is seen by other machines within two minutes (NFS: ``acregmax``, 60 seconds).
- The listing of a folder may lag for any time, except after this machine has made a file in it.

Nothing is assumed of clocks, and locks need not be seen by other machines. Where one of the
assumptions fails, or a stopped process awakes after others have taken over, two processes may work
on one thing. :meth:`Claim.is_valid` finds it. Whoever writes whole files that depend on nothing
but their names then loses time, and nothing else.

A dead claim is taken over in two steps, so that only one of several processes gets it. They claim
the right to succeed it, a file whose name holds that of the dead claim. The one that has the right
checks whether the dead claim is still there. Renaming the file of its right to that of the claim
then ends both.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from . import claim_state
from .claim_state import Found, Watch, find_claim
from .files import explaining_faults
from .held_claims import Claim, here
from .holder import Holder
from .outputs import make_writable_folder

CLAIM_FILE = 'claim.json'
"""Name of a folder's claim file, which exists while a process works there, and after a kill."""

CLAIM_SUFFIX = '.claim'
"""Ending of the claim file of a single file, after the file's own name."""

_SETTLING = 1.0  # seconds in which machines see what others have renamed
_PAUSE = 0.01  # seconds before a claim that has vanished is made


class ClaimedError(OSError):
    """Another process works on a thing.

    Args:
        path: Path of its claim file.
        holder: The process; None where the file does not name it.
    """

    def __init__(self, path: str | os.PathLike, holder: Holder | None = None):
        super().__init__(path, holder)  # its arguments, so that it can be pickled for other ranks
        self.who = 'another process' if holder is None else str(holder)
        folder, name = os.path.split(path)
        self.folder = folder if name == CLAIM_FILE else str(path).removesuffix(CLAIM_SUFFIX)
        self.path = path

    def __str__(self) -> str:
        return (
            f'{self.folder} is in use by {self.who}; wait for its end, stop it, or give another '
            f'folder. If it is no longer there, delete {self.path}'
        )


def claim_folder(folder: str | os.PathLike, report: Callable[[str], object] = print) -> Claim:
    """Claim a folder for this process.

    Args:
        folder: The folder; it is made if need be.
        report: Function that takes a line, if it takes minutes to find out whether a process on
            another machine still works there.

    Returns:
        The claim; its ``release`` frees the folder.

    Raises:
        ClaimedError: If another process works there; it names the process and what to do.
        OSError: If the folder can't be written to.
        ValueError: If this process has claimed it already.
    """
    path, shown = Path(os.path.realpath(folder), CLAIM_FILE), os.path.join(folder, CLAIM_FILE)
    if path in here.claims:
        raise ValueError(f'{folder} is the folder of two runs of this process; give each its own')
    is_new = not path.parent.exists()
    make_writable_folder(path.parent)
    watch, is_told = Watch(), False
    while True:
        found = _attempt(path, shown, watch)
        if isinstance(found, Claim):
            found.is_new = is_new
            return found
        if not is_told:
            report(
                f'{folder}: waiting up to {watch.left(found.path):.0f} s to find out whether '
                f'{found.who} still works'
            )
        is_told = True
        time.sleep(min(1.0, claim_state.DEAD_AFTER / 10))


def claim_file(path: str | os.PathLike, watch: Watch | None = None) -> Claim:
    """Claim a file, or a folder, that this process is going to make.

    It never waits. A caller that tries again and again with the same ``watch`` takes over from a
    process of another machine once that is dead.

    Args:
        path: Path of the file to make, whose folder is made if need be.
        watch: What was seen at earlier tries.

    Returns:
        The claim; its ``release`` frees the file.

    Raises:
        ClaimedError: If another process works on it, or may do so.
        OSError: If the folder can't be written to.
    """
    path = os.fspath(path) + CLAIM_SUFFIX
    folder, name = os.path.split(path)
    found = _attempt(Path(os.path.realpath(folder), name), path, watch or Watch())
    if isinstance(found, Claim):
        return found
    raise ClaimedError(path, found.holder)


def clear_claim(path: str | os.PathLike) -> None:
    """Delete what dead processes have left of the claims of a file that is made.

    Claims of processes that work are left to them.

    Args:
        path: Path of the file.
    """
    path = Path(os.path.realpath(path))
    for name in path.parent.glob(f'{path.name}{CLAIM_SUFFIX}*'):
        if name not in here.claims:
            found = find_claim(name)
            if found is not None and not found.is_working:
                name.unlink(missing_ok=True)


def holders_in(folder: str | os.PathLike) -> dict[str, Holder | None]:
    """Return the processes that work on files of a folder, unless they are known to be dead.

    Args:
        folder: The folder, which may be missing.

    Returns:
        The processes by the names of their files. None stands for one that the claim doesn't name.
    """
    holders: dict[str, Holder | None] = {}
    for path in sorted(Path(os.path.realpath(folder)).glob(f'*{CLAIM_SUFFIX}')):
        name = path.name.removesuffix(CLAIM_SUFFIX)
        if path in here.claims:
            holders[name] = here.claims[path].holder
            continue
        try:
            found = find_claim(path)
        except OSError:  # of another user
            continue
        if found is not None and found.is_working is not False:
            holders[name] = found.holder
    return holders


class _Unknown(NamedTuple):
    """A claim of which only watching shows whether its holder works."""

    path: Path
    holder: Holder | None

    @property
    def who(self) -> str:
        return 'another process' if self.holder is None else str(self.holder)


def _attempt(path: Path, shown: str, watch: Watch) -> Claim | _Unknown:
    """Make a claim file, or take over that of a dead process.

    Args:
        path: Path of the claim file, without symbolic links.
        shown: The path for messages.
        watch: What was seen at earlier attempts.
    """
    while True:
        with here.guard:
            # closing a second handle on the file would release the lock of the first one
            if path in here.claims:
                raise ClaimedError(shown, here.claims[path].holder)
            claim = _create(path)
            if claim is not None:
                return claim
            found = find_claim(path)
        if found is None:  # its holder gave it back meanwhile
            time.sleep(_PAUSE)
            continue
        is_working = watch.is_working(path, found)
        if is_working:
            raise ClaimedError(shown, found.holder)
        if is_working is None:
            return _Unknown(path, found.holder)
        taken = _take_over(path, shown, found, watch)
        if taken is not None:
            return taken


def _create(path: Path) -> Claim | None:
    """Make a claim file; None if there is one, or if its folder vanished."""
    with explaining_faults(path):
        path.parent.mkdir(parents=True, exist_ok=True)  # its last holder may have removed it
        try:
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        except (FileExistsError, FileNotFoundError):
            return None
        try:
            return Claim(path, handle)
        except BaseException:  # a full disk, or a signal
            with suppress(OSError):
                path.unlink()
            os.close(handle)
            raise


def _take_over(path: Path, shown: str, found: Found, watch: Watch) -> Claim | _Unknown | None:
    """Replace the claim of a dead process; None if that has changed meanwhile."""
    claim = _attempt(path.with_name(f'{path.name}.{found.name}'), shown, watch)
    if not isinstance(claim, Claim):
        return claim
    is_taken = False
    try:
        # whoever had this right before has replaced the claim, or has released it since
        now = find_claim(path) if path not in here.claims else None
        if now is not None and now.state == found.state and claim.move(path):
            # a machine that still sees the dead claim may have renamed its own as well
            if found.is_locked is None or found.holder is None or not found.holder.is_here:
                time.sleep(_SETTLING)
            is_taken = claim.is_valid()
    finally:
        if not is_taken:
            claim.release()
    return claim if is_taken else None
