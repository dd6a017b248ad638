"""Safe loading of what MMEngine saves."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.logging import HistoryBuffer

_STATISTICS = ('mean', 'max', 'min', 'current')


def _history_attribute(owner: Any, name: str) -> Any:
    """Stand in for ``getattr`` in a checkpoint: only a log buffer's own statistics."""
    if owner is HistoryBuffer and name in _STATISTICS:
        return getattr(owner, name)
    raise pickle.UnpicklingError(f'a checkpoint may not ask for {name!r} of {owner!r}')


def _mmengine_globals() -> list:
    """What an MMEngine checkpoint holds besides tensors: its log history."""
    dtypes = [type(np.dtype(kind)) for kind in (np.float32, np.float64, np.int32, np.int64)]
    # the functions that rebuild arrays and scalars; numpy 1 and 2 name their module differently
    reconstruct, scalar = np.empty(0).__reduce__()[0], np.float64(0).__reduce__()[0]
    aliases = [
        (function, f'numpy.{core}.multiarray.{function.__name__}')
        for function in (reconstruct, scalar)
        for core in ('core', '_core')
    ]
    # builtins.getattr itself would let a file reach anything
    return [HistoryBuffer, np.ndarray, np.dtype, *dtypes, *aliases] + [
        (_history_attribute, 'builtins.getattr')
    ]


def allow_mmengine_checkpoints() -> None:
    """Let ``torch.load(weights_only=True)``, the default since torch 2.6, read MMEngine's files.

    Without it ``--resume`` fails on MMEngine 0.10.7. Our tools call it; the plugin itself
    changes nothing global.
    """
    torch.serialization.add_safe_globals(_mmengine_globals())


def load_checkpoint(path: str | os.PathLike) -> dict:
    """Load a checkpoint to the CPU without running code that a pickle may hold.

    Args:
        path: A file, or an http(s) address, which is downloaded to torch's hub cache.

    Returns:
        What the file holds, a dict.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is damaged, needs unsafe loading or holds no dict.
    """
    name = str(path)
    with torch.serialization.safe_globals(_mmengine_globals()):
        if name.startswith(('http://', 'https://')):
            content = torch.hub.load_state_dict_from_url(
                name, map_location='cpu', weights_only=True
            )
        else:
            file = Path(path).expanduser()
            if not file.is_file():
                raise FileNotFoundError(f'checkpoint {name!r} does not exist')
            try:
                content = torch.load(file, map_location='cpu', weights_only=True)
            except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
                raise ValueError(
                    f'checkpoint {name!r} is damaged, or holds more than tensors and plain '
                    f'data and would need unsafe loading: {error}'
                ) from error
    if not isinstance(content, dict):
        raise ValueError(f'checkpoint {name!r} holds a {type(content).__name__}, not a dict')
    return content
