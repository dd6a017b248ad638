"""Unpack archives so that nothing half-unpacked is ever taken for complete."""

from __future__ import annotations

import os
import shutil
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from mmtmix.utils.files import explaining_faults

from .checking import check_contents
from .layouts import Source

# An archive of images unpacks to little more than its size. One that unpacks to more than this
# many times its size plus these bytes, or to more files than this, was made to fill a disk.
_MOST_TIMES, _MOST_BYTES, _MOST_FILES = 20, 64 << 20, 5_000_000


class _LeadsElsewhereError(Exception):
    """A member of an archive is to be written outside."""


class _TooLargeError(Exception):
    """An archive that would fill the disk."""


def unpack(
    archive: str | os.PathLike,
    source: Source,
    folder: str | os.PathLike,
    say: Callable[[str], None] = print,
) -> None:
    """Unpack an archive beside its final place, check it there, then rename what it gives.

    Remains of a killed run are removed by the next one. Files of an incomplete folder that has the
    final name are kept in ``<name>.incomplete``.

    Args:
        archive: Path of the archive. It is read as a tar or a zip by its contents, and always as
            a zip if its name ends in ``.zip``.
        source: Entry of the table that describes it.
        folder: The data set's folder.
        say: Function that takes a line about each step.

    Raises:
        ValueError: If the archive is damaged, has members that lead elsewhere, unpacks to far
            more than its size, or is not complete.
    """
    archive, folder = Path(archive), Path(folder)
    temporary = folder / f'.unpacking-{source.name}'
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        say(f'Unpacking {archive}')
        with explaining_faults(temporary):
            _extract(archive, temporary)
        top = _find_top(temporary, source)
        problems = check_contents(source.gives, top, beside=folder)
        if problems:
            details = '\n'.join(f'    {line.replace(f"{top}{os.sep}", "")}' for line in problems)
            raise ValueError(
                f'{archive} is not complete, or no {source.name}; nothing was changed:\n{details}'
            )
        for entry in source.entries:
            for path in sorted(top.glob(entry)):
                _put(path, folder / path.name, say)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _extract(archive: Path, target: Path) -> None:
    """Extract regular files and folders below the target."""
    try:
        if archive.suffix == '.zip' or zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as file:
                _check_zip(file)
                sizes = [member.file_size for member in file.infolist()]
                _check_size(archive, sum(sizes), len(sizes))
                file.extractall(target)
        else:
            with tarfile.open(archive) as file:
                file.extractall(target, filter=_TarFilter(archive))
    except _TooLargeError as error:
        raise ValueError(f'{archive} is refused: {error}.') from error
    except (tarfile.FilterError, _LeadsElsewhereError) as error:
        raise ValueError(f'{archive} is refused: a member leads elsewhere ({error}).') from error
    except Exception as error:  # each format has errors of its own
        if isinstance(error, OSError) and error.errno is not None:
            raise  # a full disk, not the archive's fault
        raise ValueError(
            f'{archive} is damaged or not complete ({_reason(archive, error)}); delete it and '
            'fetch it again.'
        ) from error


class _TarFilter:
    """Refuses absolute paths, '..', devices, links that lead elsewhere, and archives too large."""

    def __init__(self, archive: Path):
        self.archive = archive
        self.total = self.count = 0

    def __call__(self, member: tarfile.TarInfo, target: str) -> tarfile.TarInfo | None:
        self.total, self.count = self.total + member.size, self.count + 1
        _check_size(self.archive, self.total, self.count)
        return tarfile.data_filter(member, target)


def _check_size(archive: Path, total: int, count: int) -> None:
    """Refuse an archive that would fill the disk, before it does."""
    most = _MOST_TIMES * archive.stat().st_size + _MOST_BYTES
    if total > most or count > _MOST_FILES:
        raise _TooLargeError(
            f'it unpacks to more than {most >> 20} MiB or {_MOST_FILES} files, which no archive '
            'of images does; fetch the official one'
        )


def _reason(archive: Path, error: Exception) -> str:
    """Return what is wrong with an archive, in a line."""
    with open(archive, 'rb') as file:
        is_zip = file.read(4) == b'PK\x03\x04'
    if is_zip and not zipfile.is_zipfile(archive):  # the table of contents is at the end
        return 'it ends too early'
    if isinstance(error, tarfile.ReadError) and '\n' in str(error):  # one for each compression
        return 'it is no tar archive'
    return f'{type(error).__name__}: {error}'


def _check_zip(file: zipfile.ZipFile) -> None:
    """Refuse members that would land elsewhere, and links."""
    for member in file.infolist():
        name = PurePosixPath(member.filename.replace('\\', '/'))
        is_link = stat.S_ISLNK(member.external_attr >> 16)
        if name.is_absolute() or '..' in name.parts or ':' in str(name) or is_link:
            raise _LeadsElsewhereError(name)


def _find_top(temporary: Path, source: Source) -> Path:
    """Return the folder that holds the entries: the archive's top, or its only folder."""
    # macOS keeps its side files in a folder of their own
    folders = [p for p in temporary.iterdir() if p.is_dir() and p.name != '__MACOSX']
    for top in (temporary, *(folders if len(folders) == 1 else ())):
        if any(any(top.glob(entry)) for entry in source.entries):
            return top
    return temporary


def _put(path: Path, final: Path, say: Callable[[str], None]) -> None:
    """Give a finished file or folder its final name; keep a folder that has it already."""
    if not final.is_dir():
        os.replace(path, final)
        return
    kept, number = final.with_name(f'{final.name}.incomplete'), 1
    while kept.exists():
        number += 1
        kept = final.with_name(f'{final.name}.incomplete-{number}')
    os.replace(final, kept)
    os.replace(path, final)
    # what another source or the user put there stays there
    for old in [old for old in kept.rglob('*') if old.is_file()]:
        new = final / old.relative_to(kept)
        if not new.exists():
            new.parent.mkdir(parents=True, exist_ok=True)
            os.replace(old, new)
    say(f'{final} was incomplete: the old files are in {kept.name}, which you may delete')
