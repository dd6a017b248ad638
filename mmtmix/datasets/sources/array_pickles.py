"""Public image sets in pickles, read without running the functions that a pickle names."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np

BATCH_SIDE = 32
"""Pixels of a side of ImageNet32's images."""

BATCH_CLASSES = 1000
"""Classes of ImageNet32."""

_CORE = np.zeros(1).__reduce__()[0].__module__.rpartition('.')[0]
# Functions in NumPy's pickles, by their names in NumPy 1 and 2, which read each other's files.
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
            # NumPy 1 has no numpy._core, and NumPy 2 warns of numpy.core
            for old in ('numpy.core', 'numpy._core'):
                if module.startswith(f'{old}.'):
                    module = module.replace(old, _CORE, 1)
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f'it names {module}.{name}, which no array needs')


def _encode_latin1(text: str, encoding: str = 'latin1') -> bytes:
    """Stand in for ``_codecs.encode``, by which Python 3 writes bytes in protocol 2."""
    if encoding not in ('latin1', 'latin-1'):
        raise pickle.UnpicklingError(f'it names the encoding {encoding!r}')
    return text.encode('latin1')


def load_array_pickle(path: str | os.PathLike) -> Any:
    """Read a pickle that holds only NumPy arrays, numbers, strings, lists and dicts.

    A pickle can name any function, which is called when it is read, and the public image sets are
    pickles from strangers. Python 2's strings become ``str`` (as latin1).

    Args:
        path: Path of the file.

    Returns:
        The content.

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


def read_batch(path: str | os.PathLike) -> tuple[np.ndarray, np.ndarray]:
    """Read one official batch of downsampled ImageNet at 32x32 pixels.

    Args:
        path: Path of the file.

    Returns:
        Images, uint8 ``(N, 3072)``: the rows of the red, green and blue plane; and labels, int64
        ``(N,)`` in [0, 999], one less than in the file.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is damaged or holds something else.
    """
    content = load_array_pickle(path)
    fields = {'data', 'labels'}
    if not isinstance(content, dict) or not fields <= content.keys():
        raise ValueError(f"{path} is no batch of ImageNet32: it lacks 'data' or 'labels'.")
    data, labels = content['data'], np.asarray(content['labels'])
    is_batch = isinstance(data, np.ndarray) and data.ndim == 2 and data.dtype == np.uint8
    if not is_batch or data.shape[1] != 3 * BATCH_SIDE**2:
        raise ValueError(
            f"{path}: 'data' must be uint8 of shape (N, {3 * BATCH_SIDE**2}), got "
            f'{getattr(data, "dtype", type(data).__name__)} {np.shape(data)}; other sizes of '
            'downsampled ImageNet do not fit.'
        )
    if labels.shape != (len(data),) or labels.dtype.kind not in 'iu':
        raise ValueError(
            f"{path}: 'labels' must be {len(data)} integers, got {labels.dtype} {labels.shape}."
        )
    wrong = labels[(labels < 1) | (labels > BATCH_CLASSES)]
    if wrong.size:
        raise ValueError(f'{path} holds the label {wrong[0]}; they are 1 to {BATCH_CLASSES}.')
    return data, labels.astype(np.int64) - 1
