"""Safe loading of what MMEngine saves."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.logging import HistoryBuffer
from mmengine.model import is_model_wrapper
from mmengine.optim.scheduler.param_scheduler import OneCycleParamScheduler
from torch import Tensor, nn

_MOST_KEYS = 6
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
                    f'data and would need unsafe loading: {error!r}'
                ) from error
    if not isinstance(content, dict):
        raise ValueError(f'checkpoint {name!r} holds a {type(content).__name__}, not a dict')
    return content


def read_weights(model: nn.Module, checkpoint: str | os.PathLike) -> dict[str, Tensor]:
    """Read weights that fit a model exactly.

    Args:
        model: The network that they should fit; it is not changed.
        checkpoint: An MMEngine checkpoint or a bare state dict, as a file or http(s) address.

    Returns:
        The state dict.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If a key is missing, left over or of another shape; all kinds are listed.
    """
    content = load_checkpoint(checkpoint)
    state = content.get('state_dict', content)
    own = model.state_dict()
    problems = {
        'missing': [key for key in own if key not in state],
        'unexpected': [key for key in state if key not in own],
        'of another shape': [
            f'{key} {tuple(state[key].shape)} instead of {tuple(own[key].shape)}'
            for key in own
            if key in state and state[key].shape != own[key].shape
        ],
    }
    if any(problems.values()):
        listed = '; '.join(f'{kind}: {_shorten(keys)}' for kind, keys in problems.items() if keys)
        raise ValueError(
            f'checkpoint {str(checkpoint)!r} does not fit its config: {listed}. '
            'Give the config that the checkpoint was trained with'
        )
    return state


def _shorten(keys: list[str]) -> str:
    more = f' and {len(keys) - _MOST_KEYS} more' if len(keys) > _MOST_KEYS else ''
    return ', '.join(keys[:_MOST_KEYS]) + more


def unwrap(model: nn.Module) -> nn.Module:
    """The model itself, out of the wrapper that distributed training puts around it."""
    return model.module if is_model_wrapper(model) else model
