"""Reading every image of a data set, which finds what counting cannot."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from mmtmix.datasets.array_pickles import load_array_pickle
from mmtmix.datasets.imagenet32 import read_batch

from .contents import DataSet, IdxFile

_IMAGES = ('.jpg', '.jpeg', '.png')


def check_deeply(data_set: DataSet, folder: str | os.PathLike) -> list[str]:
    """Decode every image, and read every batch, of a data set that is complete.

    Args:
        data_set: The data set.
        folder: Its folder.

    Returns:
        One line for each file that cannot be read, with its path.
    """
    problems = []
    for path in _paths(data_set, Path(folder)):
        try:
            if path.suffix.lower() in _IMAGES:
                _decode(path)
            elif data_set.name == 'imagenet32':
                read_batch(path)
            elif data_set.name.startswith('cifar'):
                load_array_pickle(path)
        except Exception as error:  # what a decoder raises depends on which it is
            text = str(error)
            problems.append(text if str(path) in text else f'{path}: cannot be decoded: {text}')
    return problems


def _paths(data_set: DataSet, folder: Path) -> Iterator[Path]:
    """Yield the files of a data set once each; an IDX file is read by every check."""
    laid_out = data_set.instead if data_set.instead and _is_there(data_set, folder) else None
    patterns = (
        item.pattern for item in laid_out or data_set.all_contents if not isinstance(item, IdxFile)
    )
    for pattern in dict.fromkeys(patterns):
        for path in sorted(folder.glob(pattern)):
            if path.is_file() and not path.name.startswith('._'):
                yield path


def _is_there(data_set: DataSet, folder: Path) -> bool:
    """Whether the folder has the other layout."""
    return all(any(folder.glob(item.pattern)) for item in data_set.instead)


def _decode(path: Path) -> None:
    """Decode an image with Pillow: OpenCV fills the end of a truncated one with grey."""
    from PIL import Image  # not needed to train, so not to import either

    with Image.open(path) as image:
        image.load()
