"""Advice on missing files: which data sets ``tools/prepare_data.py`` fetches, and how."""

from __future__ import annotations

import os
import shlex
from typing import Any

from .sources import DataSet, IdxFile, data_set_of


def prepare_command(data_set: DataSet, root: str) -> str:
    """Return the command that checks and fetches a data set.

    Args:
        data_set: The data set.
        root: Folder ``data_root`` of the data set, as a word of a command line.
    """
    return f'python tools/prepare_data.py {data_set.name} --root {root}'


def prepare_hint(cls: Any, folder: str) -> str:
    """Return a sentence on how to fetch the files of one of MMPretrain's data sets.

    Args:
        cls: Class of the data set.
        folder: Absolute ``data_root``, or the folder in it that the class reads.

    Returns:
        The sentence, to add to other advice; empty for classes that are not in the table.
    """
    data_set = data_set_of(cls)
    if data_set is None:
        return ''
    root = folder.removesuffix(f'{os.sep}{data_set.folder}') if data_set.folder else folder
    # the command leaves them gzipped, as FashionMNISTIdx reads them
    is_gzipped = any(isinstance(item, IdxFile) for item in data_set.all_contents)
    more = ' and un-gzip the files' if is_gzipped else ''
    return f' Or run {prepare_command(data_set, shlex.quote(root))}{more}.'


def own_advice(cls: Any, folder: str | os.PathLike) -> str:
    """Return the ``data_advice`` of a class for a folder.

    Args:
        cls: Class of the data set.
        folder: Folder that takes the place of ``{folder}``, quoted as a word of a command line.
    """
    return cls.data_advice.replace('{folder}', shlex.quote(str(folder)))
