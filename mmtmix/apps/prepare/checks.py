"""Whether a folder holds what a data set consists of."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from mmtmix.datasets.fashion_mnist import find_idx_file, read_idx

from .contents import Content, Files, IdxFile, Listed, find_files
from .forms import Form, find_fault


def file_md5(path: str | os.PathLike) -> str:
    """The MD5 of a file in hex: no protection against malice, but what authors publish."""
    digest = hashlib.md5(usedforsecurity=False)
    with open(path, 'rb') as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def check_contents(
    contents: Iterable[Content], folder: str | os.PathLike, beside: str | os.PathLike | None = None
) -> list[str]:
    """Look for contents in a folder, by names, counts, published checksums and files' ends.

    Args:
        contents: What should be there.
        folder: The data set's folder.
        beside: Another folder to look for lists in, while the first is being unpacked.

    Returns:
        One line for each file or pattern that lacks something, with its path; none if all is
        there.
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
    for line in problems:  # a list is looked at as a file and for its images
        of_paths.setdefault(line.partition(': ')[0], line)
    return [*of_paths.values()]


def _check_files(item: Files, folder: Path) -> list[str]:
    """Count the files of a pattern, and see that each is whole."""
    path = folder / item.pattern
    found = find_files(folder, item.pattern)
    if len(found) < item.count:
        return [f'{path}: {f"{len(found)} of {item.count} files" if found else "missing"}']
    if item.md5 and path.stat().st_size:
        actual = file_md5(path)
        if actual == item.md5:
            return []
        return [f'{path}: its MD5 is {actual}, not {item.md5}: damaged or not the official']
    return _faults(item.form, found)


def _check_listed(item: Listed, folder: Path, beside: Path) -> list[str]:
    """Look for every image of a list."""
    path = folder / item.path
    path = path if path.is_file() else beside / item.path
    if not path.is_file():
        return [f'{folder / item.path}: missing']
    try:
        lines = path.read_text(encoding='utf-8').splitlines()
    except UnicodeDecodeError as error:
        return [f'{path}: no text file ({error})']
    names = [line.split()[0] for line in lines if line.strip() and not line.startswith('#')]
    if len(names) < item.count:
        return [f'{path}: {len(names)} of {item.count} lines']
    images = [folder / item.image.format(name) for name in names]
    absent = [image for image in images if not image.is_file()]
    if absent:
        likes = _likes(len(absent), len(names), f'in {path.name}')
        return [f'{absent[0]}: missing{likes}']
    return _faults(item.form, images)


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


def _faults(form: Form, paths: Sequence[Path]) -> list[str]:
    """Report the files that are empty or not whole, which a full disk or a kill leaves behind."""
    faults = [(path, fault) for path in paths if (fault := find_fault(form, path))]
    if not faults:
        return []
    path, fault = faults[0]
    return [f'{path}: {fault}{_likes(len(faults), len(paths), "files")}']


def _likes(wrong: int, all_of_them: int, what: str) -> str:
    """Say how many more are like the one that is named."""
    return f', like {wrong - 1} more of the {all_of_them} {what}' if wrong > 1 else ''
