"""Thorough checks of whether a folder holds the whole of a data set."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from .file_formats import FileFormat, find_fault
from .idx_files import find_idx_file, read_idx
from .layouts import Content, DataSet, Files, IdxFile, Listed, find_files


def file_md5(path: str | os.PathLike) -> str:
    """Return the MD5 of a file in hex: no protection against malice, but what authors publish.

    Args:
        path: Path of the file.
    """
    digest = hashlib.md5(usedforsecurity=False)
    with open(path, 'rb') as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def check_contents(
    contents: Iterable[Content], folder: str | os.PathLike, beside: str | os.PathLike | None = None
) -> list[str]:
    """Compare a folder with its contents, by names, counts, published checksums and files' ends.

    Args:
        contents: Contents that should be there.
        folder: The data set's folder.
        beside: Another folder in which lists may be, while the first is being unpacked.

    Returns:
        One line with a path for each file or pattern that is missing, incomplete or damaged.
    """
    problems: list[str] = []
    for item in contents:
        if isinstance(item, IdxFile):
            problems += _check_idx(item, Path(folder))
        elif isinstance(item, Listed):
            problems += _check_listed(item, Path(folder), Path(beside or folder))
        else:
            problems += _check_files(item, Path(folder))
    of_paths: dict[str, str] = {}
    for line in problems:  # a list is checked as a file and for its images
        of_paths.setdefault(line.partition(': ')[0], line)
    return [*of_paths.values()]


def _check_files(item: Files, folder: Path) -> list[str]:
    """Count the files of a pattern, and check that each is whole."""
    path = folder / item.pattern
    found = find_files(folder, item.pattern)
    if len(found) < item.count:
        return [f'{path}: {f"{len(found)} of {item.count} files" if found else "missing"}']
    if item.md5 and path.stat().st_size:
        actual = file_md5(path)
        if actual == item.md5:
            return []
        return [f'{path}: its MD5 is {actual}, not {item.md5}: damaged, or not the official file']
    return _faults(item.format, found)


def _check_listed(item: Listed, folder: Path, beside: Path) -> list[str]:
    """Find every image of a list."""
    path = folder / item.path
    path = path if path.is_file() else beside / item.path
    if not path.is_file():
        return [f'{folder / item.path}: missing']
    try:
        names = item.read_names(path)
    except Exception as error:  # each format has errors of its own
        return [f'{path}: damaged or not complete ({error})']
    if len(names) < item.count:
        return [f'{path}: {len(names)} of {item.count} lines']
    images = [folder / item.image.format(name) for name in names]
    absent = [image for image in images if not image.is_file()]
    if absent:
        likes = _likes(len(absent), len(names), f'in {path.name}')
        return [f'{absent[0]}: missing{likes}']
    return _faults(item.format, images)


def _check_idx(item: IdxFile, folder: Path) -> list[str]:
    """Read an IDX file, which checks it."""
    path = find_idx_file(folder, item.name)
    if path is None:
        return [f'{folder / item.pattern}: missing']
    try:
        count = len(read_idx(path, item.item_shape))
    except ValueError as error:
        return [str(error)]
    return [] if count == item.count else [f'{path}: {count} of {item.count} items']


def _faults(file_format: FileFormat, paths: Sequence[Path]) -> list[str]:
    """Return a line on files that are empty or cut off, as a full disk or a kill leaves them."""
    faults = [(path, fault) for path in paths if (fault := find_fault(file_format, path))]
    if not faults:
        return []
    path, fault = faults[0]
    return [f'{path}: {fault}{_likes(len(faults), len(paths), "files")}']


def _likes(wrong: int, all_of_them: int, what: str) -> str:
    """Return how many more are like the one that is named, in words."""
    return f', like {wrong - 1} more of the {all_of_them} {what}' if wrong > 1 else ''


def check_deeply(data_set: DataSet, folder: str | os.PathLike) -> list[str]:
    """Decode every image, and read every batch, of a data set that is complete.

    Args:
        data_set: The data set.
        folder: Folder of the data set.

    Returns:
        One line with a path for each file that cannot be read.
    """
    files = _formats_of_files(data_set, Path(folder))
    faults = ((path, find_fault(kind, path, thorough=True)) for path, kind in files.items())
    return [f'{path}: {fault}' for path, fault in faults if fault]


def _formats_of_files(data_set: DataSet, folder: Path) -> dict[Path, FileFormat]:
    """Return the files of a data set but IDX files, which every check reads."""
    laid_out = data_set.instead if data_set.instead and _is_there(data_set, folder) else None
    return {
        path: item.format
        for item in laid_out or data_set.all_contents
        if not isinstance(item, IdxFile)
        for path in sorted(find_files(folder, item.pattern))
        if path.is_file()
    }


def _is_there(data_set: DataSet, folder: Path) -> bool:
    """Return whether the folder has the other layout."""
    return all(find_files(folder, item.pattern) for item in data_set.instead)
