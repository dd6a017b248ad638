"""The bundled icons and photos of Glyphs."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

FOLDER = Path(__file__).parents[1] / 'data' / 'glyphs'
"""Folder of the bundled files; `tools/make_glyphs.py` makes them."""


@dataclass(frozen=True)
class Bundle:
    """Icons in several styles, and photos.

    Attributes:
        classes: Names of the C classes, in a fixed shuffled order.
        styles: Names of the drawing styles.
        glyphs: Icons of each style, uint8 (C, 48, 48, 4): red, green, blue and opacity.
        photos: Squares of photos, uint8 (P, 160, 160, 3) in RGB.
        splits: Split of each square: ``'train'``, ``'val'`` or ``'test'``.
    """

    classes: tuple[str, ...]
    styles: tuple[str, ...]
    glyphs: dict[str, NDArray[np.uint8]]
    photos: NDArray[np.uint8]
    splits: tuple[str, ...]


@cache
def load_index() -> dict:
    """Read the index of the bundled files.

    Raises:
        FileNotFoundError: If it is missing.
    """
    path = FOLDER / 'index.json'
    if not path.is_file():
        raise FileNotFoundError(f'{path} is missing; install mmtmix again, with its data files')
    return json.loads(path.read_text(encoding='utf-8'))


@cache
def load_bundle() -> Bundle:
    """Read the bundled files once per process.

    Raises:
        FileNotFoundError: If a file is missing.
        ValueError: If a file has other pixels than its digest.
    """
    index = load_index()
    classes = tuple(index['classes'])
    glyphs = {
        style: _cells(_read(f'{style}.png', index), index['cell'])[: len(classes)]
        for style in index['styles']
    }
    photos = _cells(_read('photos.png', index), index['photo'])
    for array in (photos, *glyphs.values()):
        array.flags.writeable = False
    splits = tuple(split for _, split in index['photos'])
    return Bundle(classes, tuple(index['styles']), glyphs, photos, splits)


def _read(name: str, index: dict) -> NDArray[np.uint8]:
    path = FOLDER / name
    if not path.is_file():
        raise FileNotFoundError(f'{path} is missing; install mmtmix again, with its data files')
    with Image.open(path) as image:
        pixels = np.array(image)
    if hashlib.sha256(pixels.tobytes()).hexdigest() != index['sha256'][path.stem]:
        raise ValueError(
            f'{path} is damaged: its pixels have another digest; install mmtmix again'
        )
    return pixels


def _cells(sheet: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Return the squares of a sheet row by row, (N, side, side, channels)."""
    rows, columns = sheet.shape[0] // side, sheet.shape[1] // side
    grid = sheet.reshape(rows, side, columns, side, -1).transpose(0, 2, 1, 3, 4)
    return np.ascontiguousarray(grid.reshape(rows * columns, side, side, -1))
