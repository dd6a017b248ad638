"""Opening of a shard: its arrays, and every check that needs no image."""

from __future__ import annotations

import errno
import json
from typing import Any

import numpy as np
from safetensors import SafetensorError

from .container import map_arrays
from .records import FORMATS, HEADER_KEYS, INDEX_ARRAYS, METADATA_KEY, RAW_FORMAT, index_digest

CURE = (
    'Delete that file and run the generator again with the same command: it makes only what is '
    'missing.'
)


def shard_error(path: str, what: str) -> ValueError:
    """Make the error with the file, the fault and advice.

    Args:
        path: Path of the shard.
        what: Fault in words, without a full stop.

    Returns:
        The error, to be raised.
    """
    return ValueError(f'{path}: {what}. {CURE}')


def open_shard_file(
    path: str, settings_digest: str | None, number: int | None, check_index: bool
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Map a shard to memory and check all but its images.

    Args:
        path: Path of the file.
        settings_digest: Digest that the shard must have; None for any.
        number: Number that the shard must have; None for any.
        check_index: Whether the index is compared with its digest, which reads it as a whole.

    Returns:
        The metadata of the shard and its arrays by name.

    Raises:
        FileNotFoundError: If there is no such file.
        OSError: If the system cannot read it.
        ValueError: If it is truncated, altered, of another format or set, or no shard at all.
    """
    try:
        metadata, arrays = map_arrays(path)
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f'{path} is missing. Run the generator again with the same command: it makes only '
            'what is missing.'
        ) from error
    except OSError as error:
        fault = f'it cannot be read: {error.strerror or error}'
        raise OSError(error.errno or errno.EIO, fault, path) from error
    except SafetensorError as error:
        raise shard_error(path, f'it is truncated or damaged ({error})') from error
    header = _read_header(path, metadata, arrays)
    if number is not None and header['number'] != number:
        raise shard_error(
            path, f'it is shard number {header["number"]!r} under the name of {number}'
        )
    if settings_digest is not None and header['settings_digest'] != settings_digest:
        raise shard_error(
            path,
            f'it was generated with other settings (digest {header["settings_digest"]!r}, '
            f'expected {settings_digest!r})',
        )
    if check_index:
        _compare_index(path, header, arrays)
    return header, arrays


def _read_header(
    path: str, metadata: dict[str, str], arrays: dict[str, np.ndarray]
) -> dict[str, Any]:
    """Return the metadata of a shard whose file has the arrays of its format."""
    try:
        header = json.loads(metadata[METADATA_KEY])
        made = header['format']
        if type(made) is not int or made not in FORMATS:  # another may have other keys
            known = ' or '.join(map(str, FORMATS))
            raise shard_error(path, f'it is of format {made!r}, expected {known}')
        for key in HEADER_KEYS:
            header[key]
    except (KeyError, TypeError, json.JSONDecodeError) as error:
        raise shard_error(
            path, 'it is no shard of mixed images, or its header is damaged'
        ) from error
    if arrays.keys() != {'images', *INDEX_ARRAYS[made]}:
        raise shard_error(path, f'it holds the arrays {sorted(arrays)}, its header is damaged')
    return header


def _compare_index(path: str, header: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
    """Compare the index to its digest, and the size of the images to the index."""
    if index_digest(header, arrays) != header.get('index_sha256'):
        raise shard_error(path, 'its index has been altered (SHA-256 differs)')
    images = arrays['images']
    if header['format'] == RAW_FORMAT:  # the digest covers their shape
        fits = images.ndim in (3, 4) and len(images) == len(arrays['crc32'])
    else:
        fits = images.shape == (arrays['offsets'][-1],)
    if images.dtype != np.uint8 or not fits:
        raise shard_error(path, 'its images do not have the size that its index lists')
