"""Files that get their name only when they are complete."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_CURES = {
    errno.ENOSPC: 'make room there, or give another folder',
    errno.EDQUOT: 'your quota there is used up: make room, or give another folder',
    errno.EFBIG: 'the limit of file sizes is reached (`ulimit -f`): raise it',
    errno.EROFS: 'it is mounted read-only: give another folder',
    errno.EACCES: 'give yourself the right to write there, or give another folder',
    errno.EPERM: 'give yourself the right to write there, or give another folder',
    errno.ENOTDIR: 'a part of its path is a file: give another folder, or move that file away',
    errno.EEXIST: 'a part of its path is a file: give another folder, or move that file away',
    errno.EISDIR: 'a folder has that name: give another name, or move that folder away',
    errno.EIO: 'the disk reports an error: give a folder on another disk',
}

_EXPLAINED = 'cannot be written'
_NO_SYNC = (errno.EINVAL, errno.ENOTSUP)  # of file systems that have no such call
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)
_SETTLING = 1.0  # seconds in which processes without links see each other's files


@contextmanager
def atomic_path(path: str | os.PathLike) -> Iterator[Path]:
    """Yield a temporary path beside ``path``, and rename it to ``path`` on a clean exit.

    After an exception nothing is left, and a file that had the name before is unchanged. The
    content is on the disk before the name is, so that a power failure leaves the old file or the
    new one.

    Args:
        path: Final path. Its folder is made if need be.

    Yields:
        The path to write to, with the same suffix as the final one.

    Raises:
        OSError: If the disk is full, the folder can't be written to and the like; it names
            ``path`` and what to do.
    """
    path = Path(path)
    with explaining_faults(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(
            dir=path.parent, prefix=f'.{path.stem}.', suffix=path.suffix
        )
        os.close(handle)
        temporary = Path(name)
        try:
            yield temporary
            # mkstemp makes files private; a finished file gets the rights of any new file
            temporary.chmod(0o666 & ~_umask())
            publish_file(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)


def create_file(path: str | os.PathLike, content: bytes) -> bool:
    """Write a file whole, unless there is one: of several processes at once, one succeeds.

    Args:
        path: Path of the file. Its folder is made if need be.
        content: Content of the file.

    Returns:
        Whether it was written. On file systems without hard links the last of several processes
        within a second wins, and only this one returns True.

    Raises:
        OSError: If the folder can't be written to; it names ``path`` and what to do.
    """
    path = Path(path)
    with explaining_faults(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(
            dir=path.parent, prefix=f'.{path.stem}.', suffix=path.suffix
        )
        try:
            with os.fdopen(handle, 'wb') as file:
                file.write(content)
                file.flush()
                os.fsync(handle)
            os.chmod(name, 0o666 & ~_umask())
            return _link(name, path)
        finally:
            Path(name).unlink(missing_ok=True)


def _link(temporary: str, path: Path) -> bool:
    """Give a file its final name, unless another has it; return whether it has the name."""
    try:
        os.link(temporary, path)
    except OSError as error:
        if os.path.exists(path):
            return False
        if error.errno not in _NO_LINKS:
            raise
        os.replace(temporary, path)
        with open(path, 'rb') as file:
            mine = os.fstat(file.fileno())
            time.sleep(_SETTLING)
            return os.path.samestat(mine, os.stat(path))
    return True


def _umask() -> int:
    umask = os.umask(0)
    os.umask(umask)
    return umask


def publish_file(temporary: str | os.PathLike, path: str | os.PathLike) -> None:
    """Rename a complete file to its final name, once its content is on the disk.

    Args:
        temporary: Path of the file, in the folder of ``path``.
        path: Final path; a file that has it is replaced.

    Raises:
        OSError: If the disk fails, or a folder has the name.
    """
    with open(temporary, 'rb+') as file:
        try:
            os.fsync(file.fileno())
        except OSError as error:
            if error.errno not in _NO_SYNC:
                raise
    os.replace(temporary, path)
    # otherwise a power failure may undo the renaming; some file systems have no such call
    with suppress(OSError):
        folder = os.open(Path(path).parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


@contextmanager
def explaining_faults(path: str | os.PathLike) -> Iterator[None]:
    """Add the file and advice to errors of a full disk, a read-only folder and the like.

    Args:
        path: Path of the file or folder that the body writes.

    Raises:
        OSError: In place of the system's or a library's error, if that comes from such a fault.
    """
    try:
        yield
    except Exception as error:
        fault = _write_fault(error, path)
        if fault is None or fault is error:
            raise
        raise fault from error


def _write_fault(error: BaseException, path: str | os.PathLike) -> OSError | None:
    """Make the error of a file that can't be written, with its name and advice.

    Args:
        error: Error that was raised while it was written. If a library raised its own, the
            system's is among its causes.
        path: Path of the file.

    Returns:
        An error of the same class and number as the system's; None if ``error`` comes from no
        such fault, or from another file.
    """
    folder = Path(os.path.abspath(path)).parent
    seen: BaseException | None = error
    while seen is not None and not (isinstance(seen, OSError) and seen.errno in _CURES):
        seen = seen.__cause__ or seen.__context__
    if not isinstance(seen, OSError) or not _is_near(seen.filename, path):
        return None
    if is_write_fault(seen):  # it is explained already
        return seen if seen is error else None
    reason = os.strerror(seen.errno or 0)
    if seen.errno in (errno.ENOSPC, errno.EDQUOT):
        while not folder.is_dir():
            folder = folder.parent
        free = shutil.disk_usage(folder).free
        reason += f' ({free / 2**20:,.1f} MiB free in {folder})'
    return OSError(seen.errno, f'{path} {_EXPLAINED}: {reason}; {_CURES[seen.errno or 0]}')


def is_write_fault(error: OSError) -> bool:
    """Return whether an error is one of :func:`explaining_faults`.

    Args:
        error: Any error of the system.
    """
    return _EXPLAINED in str(error)


def _is_near(name: object, path: str | os.PathLike) -> bool:
    """Return whether a system's error, which may name a file, concerns a path or its folders."""
    if not isinstance(name, (str, os.PathLike)):
        return True  # writes and syncs name none
    other, wanted = Path(os.path.abspath(name)), Path(os.path.abspath(path))
    is_temporary = other.parent == wanted.parent and other.name.startswith(f'.{wanted.stem}.')
    return is_temporary or other.is_relative_to(wanted) or wanted.is_relative_to(other)


def file_digest(path: str | os.PathLike, length: int = 12) -> str:
    """Return the first hex digits of a file's SHA-256.

    Args:
        path: Path of the file.
        length: Number of digits, 1 to 64.
    """
    digest = hashlib.sha256()
    with open(path, 'rb') as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()[:length]
