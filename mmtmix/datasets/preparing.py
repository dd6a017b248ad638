"""What to do about missing files: which data sets ``tools/prepare_data.py`` gets, and how."""

from __future__ import annotations

import os
import shlex
from typing import Any

TOOL_NAMES = {
    'CIFAR10': 'cifar10',
    'CIFAR100': 'cifar100',
    'FGVCAircraft': 'aircraft',
    'FashionMNIST': 'fashion_mnist',
    'Flowers102': 'flowers102',
    'ImageNet': 'imagenet',
    'OxfordIIITPet': 'pets',
    'StanfordCars': 'cars',
}
"""The tool's name of a data set by MMPretrain's class."""


def prepare_hint(cls: Any, folder: str) -> str:
    """Say how to get a data set's files with ``tools/prepare_data.py``.

    Args:
        cls: The data set's class.
        folder: Its absolute ``data_root``, or the folder in there that the class asks for.

    Returns:
        A sentence to add to other advice; empty if the tool doesn't know the class.
    """
    name = TOOL_NAMES.get(getattr(cls, '__name__', ''))
    if name is None:
        return ''
    root = folder.removesuffix(f'{os.sep}{getattr(cls, "base_folder", "")}')
    # the tool leaves them gzipped, as FashionMNISTIdx reads them
    more = ' and un-gzip the files' if name == 'fashion_mnist' else ''
    return f' Or run python tools/prepare_data.py {name} --root {shlex.quote(root)}{more}.'


def own_advice(cls: Any, folder: str | os.PathLike) -> str:
    """Fill in the ``data_advice`` of a class.

    Args:
        cls: The data set's class.
        folder: What ``{folder}`` stands for in it, as an argument of a command.
    """
    return cls.data_advice.replace('{folder}', shlex.quote(str(folder)))
