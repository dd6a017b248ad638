"""Safe loading of what MMEngine saves."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.logging import HistoryBuffer
from mmengine.optim.scheduler.param_scheduler import OneCycleParamScheduler

# methods that MMEngine's checkpoints name: of the log buffers and of the one-cycle schedule
_METHODS = {
    HistoryBuffer: ('mean', 'max', 'min', 'current'),
    OneCycleParamScheduler: ('_annealing_cos', '_annealing_linear'),
}


def _known_method(owner: Any, name: str) -> Any:
    """Stand in for ``getattr`` in a checkpoint: only the methods that MMEngine's own name."""
    if isinstance(owner, type) and name in _METHODS.get(owner, ()):
        return getattr(owner, name)
    raise pickle.UnpicklingError(f'a checkpoint may not ask for {name!r} of {owner!r}')


def _mmengine_globals() -> list:
    """What an MMEngine checkpoint holds besides tensors: its log history and its schedules."""
    dtypes = [type(np.dtype(kind)) for kind in (np.float32, np.float64, np.int32, np.int64)]
    # the functions that rebuild arrays and scalars; numpy 1 and 2 name their module differently
    reconstruct, scalar = np.empty(0).__reduce__()[0], np.float64(0).__reduce__()[0]
    aliases = [
        (function, f'numpy.{core}.multiarray.{function.__name__}')
        for function in (reconstruct, scalar)
        for core in ('core', '_core')
    ]
    # builtins.getattr itself would let a file reach anything
    return [*_METHODS, np.ndarray, np.dtype, *dtypes, *aliases] + [
        (_known_method, 'builtins.getattr')
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
    # torch forgets on exit what it is given, so leave out what was allowed before
    allowed = torch.serialization.get_safe_globals()
    needed = [item for item in _mmengine_globals() if item not in allowed]
    with torch.serialization.safe_globals(needed):
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
            except Exception as error:  # a damaged pickle can fail in any way
                raise ValueError(
                    f'checkpoint {name!r} is damaged, or holds more than tensors and plain '
                    f'data and would need unsafe loading: {error}'
                ) from error
    if not isinstance(content, dict):
        raise ValueError(f'checkpoint {name!r} holds a {type(content).__name__}, not a dict')
    return content
