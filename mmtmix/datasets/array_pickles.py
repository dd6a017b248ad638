"""Pickles of plain containers and NumPy arrays, read without running what they name."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np

_CORE = np.zeros(1).__reduce__()[0].__module__.rpartition('.')[0]
# What NumPy's pickles call, by the names of NumPy 1 and 2, which read each other's files.
_FUNCTIONS = {
    'numpy': ('ndarray', 'dtype'),
    'numpy.core.multiarray': ('_reconstruct',),
    'numpy._core.multiarray': ('_reconstruct',),
    'numpy.core.numeric': ('_frombuffer',),
    'numpy._core.numeric': ('_frombuffer',),
}


class _ArrayUnpickler(pickle.Unpickler):
    """Allow NumPy's own array functions and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ('_codecs', 'encode'):
            return _encode_latin1
        if name in _FUNCTIONS.get(module, ()):
            # NumPy 1 knows no numpy._core, and NumPy 2 warns of numpy.core
            for old in ('numpy.core', 'numpy._core'):
                if module.startswith(f'{old}.'):
                    module = module.replace(old, _CORE, 1)
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f'it asks for {module}.{name}, which no array needs')


def _encode_latin1(text: str, encoding: str = 'latin1') -> bytes:
    """What Python 3 writes for bytes in pickles of protocol 2."""
    if encoding not in ('latin1', 'latin-1'):
        raise pickle.UnpicklingError(f'it asks for the encoding {encoding!r}')
    return text.encode('latin1')


def load_array_pickle(path: str | os.PathLike) -> Any:
    """Read a pickle that may hold NumPy arrays, numbers, strings, lists and dicts alone.

    Pickles can name any function to call when they are read; the public image sets are pickles
    from strangers. Python 2's strings become ``str`` (as latin1).

    Args:
        path: The file.

    Returns:
        What it holds.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is damaged, is no pickle, or names anything else.
    """
    path = Path(path)
    with open(path, 'rb') as file:
        try:
            return _ArrayUnpickler(file, encoding='latin1').load()
        except Exception as error:  # a damaged pickle can raise nearly anything
            raise ValueError(
                f'{path} is no pickle of plain arrays, or is damaged '
                f'({type(error).__name__}: {error}); fetch it again from its official source.'
            ) from error
