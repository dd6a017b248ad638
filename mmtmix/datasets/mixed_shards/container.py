"""The arrays of a safetensors file as views of the mapped file."""

from __future__ import annotations

import errno
import json
import os
from typing import Any

import numpy as np
import torch
from safetensors import safe_open

_LENGTH_BYTES = 8  # of the header's length, at the start of a file

_DTYPES = {
    'BOOL': np.bool_,
    'U8': np.uint8,
    'U32': np.uint32,
    'I64': np.int64,
    'F32': np.float32,
}
"""Types of the arrays in a shard, by their names in the format."""


def map_arrays(path: str | os.PathLike) -> tuple[dict[str, str], dict[str, np.ndarray]]:
    """Map a safetensors file to memory.

    ``safe_open`` checks the file's header. Its slices cost tens of microseconds each, so the
    arrays here are plain NumPy views. The mapping takes no file descriptor, and it is closed with
    the last view.

    Args:
        path: Path of the file.

    Returns:
        The file's metadata, and its arrays by name. The arrays cannot be written to. An array of a
        type that no shard has comes as bytes without a type.

    Raises:
        FileNotFoundError: If there is no such file.
        OSError: If the system cannot read it. Its ``errno`` is ``ENOMEM`` if this process has
            all the mappings that the system allows.
        SafetensorError: If it is truncated, or no safetensors file.
    """
    try:
        with safe_open(path, framework='np') as file:
            metadata = file.metadata() or {}
        size = os.path.getsize(path)
        data = torch.from_file(os.fspath(path), shared=False, size=size, dtype=torch.uint8).numpy()
    except FileNotFoundError:
        # safe_open's error for every file that it can't open, also without a free descriptor
        os.close(os.open(path, os.O_RDONLY))
        raise
    except MemoryError as error:  # of safe_open
        raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM), os.fspath(path)) from error
    except RuntimeError as error:  # of torch, whose errors have no number
        if 'mmap' not in str(error):
            raise
        raise OSError(errno.ENOMEM, str(error), os.fspath(path)) from error
    data.flags.writeable = False
    start = _LENGTH_BYTES + int.from_bytes(data[:_LENGTH_BYTES].tobytes(), 'little')
    header = json.loads(data[_LENGTH_BYTES:start].tobytes())
    header.pop('__metadata__', None)
    return metadata, {name: _view(data[start:], entry) for name, entry in header.items()}


def _view(data: np.ndarray, entry: dict[str, Any]) -> np.ndarray:
    """Return one array of a file.

    Args:
        data: Bytes of the file after its header, uint8.
        entry: Type, shape and bounds of the array, from the header.
    """
    first, last = entry['data_offsets']
    if entry['dtype'] not in _DTYPES:
        return data[first:last].view(np.void)
    return data[first:last].view(_DTYPES[entry['dtype']]).reshape(entry['shape'])
