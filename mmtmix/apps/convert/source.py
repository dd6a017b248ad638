"""Read the weights of a checkpoint of any code base."""

from __future__ import annotations

import os
import pickle
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from mmtmix.checks import check_flag
from mmtmix.utils import (
    UnsafeCheckpointError,
    checkpoint_in_words,
    fetch_checkpoint,
    load_checkpoint,
    load_trusted,
)

# fields with the weights: of the distillation zoo, PuzzleMix and MMEngine, timm's averages
_FIELDS = ('model', 'state_dict', 'state_dict_ema', 'net')
_WRAPPER = 'module.'  # DataParallel's prefix of each key


def read_source(path: str | os.PathLike, trust_source: bool = False) -> dict[str, Tensor]:
    """Read the weights of a checkpoint.

    Args:
        path: Path of a file, or an http(s) address.
        trust_source: Whether to load a file that holds more than tensors and plain data. Loading
            it runs whatever code its author put into it.

    Returns:
        The state dict in the source's own names, without a wrapper's prefix.

    Raises:
        ConnectionError: If it cannot be downloaded.
        FileNotFoundError: If there is no such file.
        IsADirectoryError: If it is a folder.
        TypeError: If an argument is of another type.
        ValueError: If it is damaged, needs trust or holds no weights.
    """
    check_flag('trust_source', trust_source)
    try:
        content = load_checkpoint(path)
    except UnsafeCheckpointError as error:
        if not trust_source:
            raise ValueError(
                f'{error.fault}. If you trust its author as you would trust their programs, '
                'load it with --trust-source: that runs whatever code is in the file'
            ) from error
        content = _load_trusted(path)
    state = _weights(content)
    if state is None:
        kind = [*content] if isinstance(content, dict) else type(content).__name__
        raise ValueError(
            f'{str(path)!r} holds no state dict, neither itself nor under {", ".join(_FIELDS)}; '
            f'it holds {kind}'
        )
    return {key.removeprefix(_WRAPPER): value for key, value in state.items()}


class _Unpickler(pickle.Unpickler):
    """Replaces classes that are not installed, such as PuzzleMix's RecorderMeter, by others."""

    def find_class(self, module: str, name: str) -> Any:
        try:
            return super().find_class(module, name)
        except (ImportError, AttributeError):
            ignore = dict(__module__=module, __init__=lambda self, *args, **kwargs: None)
            return type(name, (), ignore)


def _load_trusted(path: str | os.PathLike) -> Any:
    file = fetch_checkpoint(path)
    tolerant = SimpleNamespace(__name__='tolerant', Unpickler=_Unpickler, load=pickle.load)
    try:
        return load_trusted(file, tolerant)
    except Exception as error:  # a damaged pickle can fail in any way
        raise ValueError(
            f'checkpoint {checkpoint_in_words(path, file)} is damaged or cannot be rebuilt here: '
            f'{error!r}'
        ) from error


def _weights(content: Any) -> dict[str, Tensor] | None:
    """Return the state dict in a checkpoint; None if there is none."""
    if isinstance(content, torch.nn.Module):  # a whole network, pickled
        content = content.state_dict()
    if not isinstance(content, dict):
        return None
    for field in _FIELDS:
        inner = content.get(field)
        if isinstance(inner, (dict, torch.nn.Module)):
            return _weights(inner)
    is_state = content and all(
        isinstance(key, str) and isinstance(value, Tensor) for key, value in content.items()
    )
    return content if is_state else None
