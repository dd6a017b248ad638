"""Safe loading of what MMEngine saves."""

from __future__ import annotations

import hashlib
import os
import pickle
import re
import warnings
from collections.abc import Mapping
from http.client import HTTPException
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

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


class UnsafeCheckpointError(ValueError):
    """A checkpoint holds more than tensors and plain data, or is damaged so that it seems so."""


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


def fetch_checkpoint(path: str | os.PathLike) -> Path:
    """Where a checkpoint is on this machine; what is at an address is downloaded once.

    torch's own name in its hub cache is the last part of an address, which many files share.

    Args:
        path: A file, or an http(s) address.

    Returns:
        The file, which for an address is in torch's hub cache.

    Raises:
        FileNotFoundError: If there is no such file.
        IsADirectoryError: If it is a folder.
        ConnectionError: If it cannot be downloaded.
    """
    name = str(path)
    if not name.startswith(('http://', 'https://')):
        file = Path(path).expanduser()
        if file.is_dir():
            raise IsADirectoryError(f'checkpoint {name!r} is a folder, not a file')
        if not file.is_file():
            raise FileNotFoundError(f'checkpoint {name!r} does not exist')
        return file
    digest = hashlib.sha256(name.encode()).hexdigest()[:12]
    file = Path(
        torch.hub.get_dir(), 'checkpoints', f'{digest}-{PurePosixPath(urlsplit(name).path).name}'
    )
    if not file.is_file():
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            torch.hub.download_url_to_file(name, str(file))
        except (OSError, HTTPException) as error:
            raise ConnectionError(f'checkpoint {name!r} cannot be fetched: {error}') from error
    return file


def load_checkpoint(path: str | os.PathLike) -> dict:
    """Load a checkpoint to the CPU without running code that a pickle may hold.

    Args:
        path: A file, or an http(s) address, see :func:`fetch_checkpoint`.

    Returns:
        What the file holds, a dict.

    Raises:
        FileNotFoundError: If there is no such file.
        IsADirectoryError: If it is a folder.
        ConnectionError: If it cannot be downloaded.
        UnsafeCheckpointError: If it needs unsafe loading.
        ValueError: If it is damaged or holds no dict.
    """
    file = fetch_checkpoint(path)
    name = describe_checkpoint(path, file)
    # torch forgets on exit what it is given, so leave out what was allowed before
    allowed = torch.serialization.get_safe_globals()
    needed = [item for item in _mmengine_globals() if item not in allowed]
    with torch.serialization.safe_globals(needed), warnings.catch_warnings():
        warnings.filterwarnings('ignore', 'Detected pickle protocol')  # advice for torch's authors
        try:
            content = torch.load(file, map_location='cpu', weights_only=True)
        except Exception as error:  # a damaged pickle can fail in any way
            raise _fault(name, file, error) from error
    if not isinstance(content, dict):
        raise ValueError(f'checkpoint {name} holds a {type(content).__name__}, not a dict')
    return content


def describe_checkpoint(path: str | os.PathLike, file: Path) -> str:
    """Name a checkpoint in an error, and where a download of it is kept.

    Args:
        path: What :func:`fetch_checkpoint` was given.
        file: What it returned.
    """
    name = str(path)
    if name.startswith(('http://', 'https://')):
        return f'{name!r} (delete {str(file)!r} to download it anew)'
    return repr(name)


def _fault(name: str, file: Path, error: Exception) -> ValueError:
    """What is wrong with a file that torch does not load safely, without torch's advice."""
    with open(file, 'rb') as opened:
        head = opened.read(20)
    if not head.startswith((b'PK', b'\x80')):  # neither zipped nor pickled
        return ValueError(
            f"checkpoint {name} is damaged or none of PyTorch's at all: it begins with {head!r}"
        )
    is_refused = 'weights_only' in str(error)
    inner = error.__context__ if is_refused and error.__context__ else error
    reason = re.split(r'\. |\.?\n', str(inner))[0] or type(inner).__name__
    if not is_refused:
        return ValueError(f'checkpoint {name} is damaged: {reason}')
    return UnsafeCheckpointError(
        f'checkpoint {name} is damaged, or holds more than tensors and plain data and would need '
        f'unsafe loading: {reason}'
    )


def read_weights(
    model: nn.Module, checkpoint: str | os.PathLike, content: dict | None = None
) -> dict[str, Tensor]:
    """Read weights that fit a model exactly.

    Args:
        model: The network that they should fit; it is not changed.
        checkpoint: An MMEngine checkpoint or a bare state dict, as a file or http(s) address.
        content: What :func:`load_checkpoint` returned for it; it is loaded if None.

    Returns:
        The state dict.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If a key is missing, left over or of another shape, all kinds are listed; or a
            weight is not finite.
    """
    content = load_checkpoint(checkpoint) if content is None else content
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
    # what a network itself sets to infinity, as some masks are, may be so
    trained = {key: value for key, value in state.items() if _is_finite(own[key])}
    check_finite_weights(trained, f'checkpoint {str(checkpoint)!r}')
    return state


def check_finite_weights(state: Mapping[str, Tensor], owner: str) -> None:
    """Refuse weights that are not finite, as a training that diverged leaves them.

    Args:
        state: Weights by name.
        owner: Whose they are, such as their file, for the error.

    Raises:
        ValueError: If there is NaN or infinity among them; the keys are named.
    """
    damaged = [key for key, value in state.items() if not _is_finite(value)]
    if damaged:
        raise ValueError(
            f'{owner} holds NaN or infinity in {_shorten(damaged)}; its training has diverged: '
            'give an earlier checkpoint, or train anew with a lower learning rate or in float32'
        )


def _is_finite(value: Tensor) -> bool:
    if not isinstance(value, Tensor) or not value.is_floating_point():
        return True
    if value.element_size() == 1:  # float8 has no isfinite
        value = value.float()
    return bool(value.isfinite().all())


def _shorten(keys: list[str]) -> str:
    more = f' and {len(keys) - _MOST_KEYS} more' if len(keys) > _MOST_KEYS else ''
    return ', '.join(keys[:_MOST_KEYS]) + more


def unwrap(model: nn.Module) -> nn.Module:
    """The model itself, out of the wrapper that distributed training puts around it."""
    return model.module if is_model_wrapper(model) else model
