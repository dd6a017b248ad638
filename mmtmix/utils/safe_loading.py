"""Checkpoints are data: which names their pickles may hold, and which files may hold more."""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.logging import HistoryBuffer
from mmengine.optim.scheduler.param_scheduler import OneCycleParamScheduler

_FORCE, _FORCE_NOT = 'TORCH_FORCE_WEIGHTS_ONLY_LOAD', 'TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD'
# methods that MMEngine's checkpoints name: of the log buffers and of the one-cycle schedule
_METHODS = {
    HistoryBuffer: ('mean', 'max', 'min', 'current'),
    OneCycleParamScheduler: ('_annealing_cos', '_annealing_linear'),
}
_trusted: set[str] = set()


def force_safe_loading(trusted: Iterable[str | os.PathLike] = ()) -> None:
    """Make torch load only data in this process and those that it starts.

    The maintained fork of MMEngine requests unsafe loading for a file that needs it, which is
    then refused. Classes in MMEngine's own checkpoints are allowed, since ``--resume`` needs them
    on MMEngine 0.10.7.

    Args:
        trusted: Paths and addresses of files whose code may run, as the user names them.
    """
    _trusted.update(map(_name, trusted))
    if os.environ.pop(_FORCE_NOT, None):
        print(
            f'{_FORCE_NOT} is set and has no effect here; give --trust-checkpoint FILE for a '
            'file that needs it',
            file=sys.stderr,
        )
    os.environ[_FORCE] = '1'
    torch.serialization.add_safe_globals(mmengine_globals())


def is_trusted(path: str | os.PathLike) -> bool:
    """Return whether the user trusts a checkpoint's author as that of a program.

    Args:
        path: Path or address of the checkpoint.
    """
    return _name(path) in _trusted


@contextmanager
def unforced() -> Iterator[None]:
    """Allow torch to run the code of a trusted file inside the block."""
    before = os.environ.pop(_FORCE, None)
    try:
        yield
    finally:
        if before is not None:
            os.environ[_FORCE] = before


def mmengine_globals() -> list:
    """List the classes in an MMEngine checkpoint besides tensors: log history and schedules."""
    dtypes = [type(np.dtype(kind)) for kind in (np.float32, np.float64, np.int32, np.int64)]
    # the functions that rebuild arrays and scalars; numpy 1 and 2 name their module differently
    values: list[Any] = [np.empty(0), np.float64(0)]
    functions = [value.__reduce__()[0] for value in values]
    aliases = [
        (function, f'numpy.{core}.multiarray.{function.__name__}')
        for function in functions
        for core in ('core', '_core')
    ]
    # builtins.getattr itself would give a file access to anything
    return [*_METHODS, np.ndarray, np.dtype, *dtypes, *aliases] + [
        (_known_method, 'builtins.getattr')
    ]


def _known_method(owner: Any, name: str) -> Any:
    """Stand in for ``getattr`` in a checkpoint: only the methods that MMEngine's own name."""
    if isinstance(owner, type) and name in _METHODS.get(owner, ()):
        return getattr(owner, name)
    raise pickle.UnpicklingError(f'a checkpoint may not name {name!r} of {owner!r}')


def _name(path: str | os.PathLike) -> str:
    name = str(path)
    return name if '://' in name else str(Path(name).expanduser().resolve())
