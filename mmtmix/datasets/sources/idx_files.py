"""Files of MNIST's format (IDX), gzipped or plain."""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

_UINT8 = 0x08  # the IDX format's code for the element type
# a file that unpacks to more than this many times its size, plus this many bytes, is a bomb
_MOST_TIMES, _MOST_BYTES = 20, 64 << 20


def find_idx_file(root: str | os.PathLike, name: str) -> Path | None:
    """Find an IDX file by its official name, gzipped or plain.

    Args:
        root: Folder of the file.
        name: Official name without ``.gz``.

    Returns:
        The path, or None where neither is there. The gzipped file is preferred, since its
        checksum reveals damage.
    """
    for candidate in (Path(root, f'{name}.gz'), Path(root, name)):
        if candidate.is_file():
            return candidate
    return None


def read_idx(path: str | os.PathLike, item_shape: Sequence[int] = ()) -> np.ndarray:
    """Read an IDX file of bytes, gzipped if its name ends in ``.gz``.

    Args:
        path: Path of the file.
        item_shape: Shape of every item: ``()`` for labels, ``(28, 28)`` for images.

    Returns:
        A read-only uint8 array of shape ``(N, *item_shape)``.

    Raises:
        ValueError: If the file is damaged, is no such IDX file, or is shorter or longer than
            its header announces.
    """
    path = Path(path)
    data = unzip(path) if path.suffix == '.gz' else path.read_bytes()
    ndim = 1 + len(item_shape)
    magic = bytes((0, 0, _UINT8, ndim))
    if data[:4] != magic:
        raise ValueError(
            f'{path} is not an IDX file of bytes in {ndim} dimension(s): it starts with '
            f'0x{data[:4].hex()}, expected 0x{magic.hex()}. Check that images and labels are '
            'under their official names.'
        )
    header_size = 4 + 4 * ndim
    if len(data) < header_size:
        raise ValueError(f'{path} ends inside its header; fetch it again.')
    count, *shape = (int(size) for size in np.frombuffer(data[4:header_size], dtype='>u4'))
    if tuple(shape) != tuple(item_shape):
        raise ValueError(f'{path} holds items of shape {tuple(shape)}, expected {item_shape}.')
    expected = count * int(np.prod(item_shape, dtype=np.int64))
    if len(data) - header_size != expected:
        raise ValueError(
            f'{path} announces {count} items ({expected} bytes) but holds '
            f'{len(data) - header_size} bytes; it is truncated or damaged, fetch it again.'
        )
    return np.frombuffer(data, dtype=np.uint8, offset=header_size).reshape(count, *item_shape)


def unzip(path: Path) -> bytes:
    """Read a gzipped file.

    Args:
        path: Path of the file.

    Raises:
        ValueError: If it is damaged, or unpacks to more than a set of images does.
    """
    most = _MOST_TIMES * path.stat().st_size + _MOST_BYTES
    try:
        with gzip.open(path) as file:
            data = file.read(most + 1)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ValueError(f'{path} is a damaged gzip file ({error}); fetch it again.') from error
    if len(data) > most:
        raise ValueError(
            f'{path} unpacks to more than {most >> 20} MiB, which no set of images does; '
            'fetch the official file.'
        )
    return data
