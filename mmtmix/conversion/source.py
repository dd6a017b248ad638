"""Read the weights out of a checkpoint of any code base."""

from __future__ import annotations

import os
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from mmtmix.utils import load_checkpoint

# where code bases put the weights: the distillation zoo, PuzzleMix and MMEngine, timm's averages
_FIELDS = ('model', 'state_dict', 'state_dict_ema', 'net')
_WRAPPER = 'module.'  # what DataParallel puts before each key


def read_source(path: str | os.PathLike, trust_source: bool = False) -> dict[str, Tensor]:
    """Read the weights of a checkpoint.

    Args:
        path: A file, or an http(s) address.
        trust_source: Load also what holds more than tensors and plain data. Loading it runs
            whatever code its author put into it.

    Returns:
        The state dict in the source's own names, without a wrapper's prefix.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is damaged, needs trust or holds no weights.
    """
    name = str(path)
    with _local_file(name) as file:
        try:
            content = load_checkpoint(file)
        except ValueError as error:
            reason = str(error).replace(file, name)
            if error.__cause__ is None:  # it was read, and trust would not help
                raise ValueError(reason) from None
            if not trust_source:
                raise ValueError(
                    f'{reason}. If you trust its author as you would trust a program of his, load '
                    'it with --trust-source: that runs whatever code is in the file'
                ) from error
            content = _load_trusted(file, name)
    state = _weights(content)
    if state is None:
        kind = [*content] if isinstance(content, dict) else type(content).__name__
        raise ValueError(
            f'{name!r} holds no state dict, neither itself nor under {", ".join(_FIELDS)}; '
            f'it holds {kind}'
        )
    return {key.removeprefix(_WRAPPER): value for key, value in state.items()}


@contextmanager
def _local_file(name: str) -> Iterator[str]:
    """A file as it is; what is at an address is there until it has been read.

    torch's cache goes by the last part of an address, which the distillation zoo's files share.
    """
    if not name.startswith(('http://', 'https://')):
        yield name
        return
    with TemporaryDirectory() as folder:
        file = str(Path(folder) / 'download.pth')
        torch.hub.download_url_to_file(name, file)
        yield file


class _Unpickler(pickle.Unpickler):
    """Gives an empty class for one that is not installed, such as PuzzleMix's RecorderMeter."""

    def find_class(self, module: str, name: str) -> Any:
        try:
            return super().find_class(module, name)
        except (ImportError, AttributeError):
            ignore = dict(__module__=module, __init__=lambda self, *args, **kwargs: None)
            return type(name, (), ignore)


def _load_trusted(file: str, name: str) -> Any:
    tolerant = SimpleNamespace(__name__='tolerant', Unpickler=_Unpickler, load=pickle.load)
    try:
        return torch.load(
            Path(file).expanduser(),
            map_location='cpu',
            weights_only=False,
            pickle_module=tolerant,
        )
    except Exception as error:  # a damaged pickle can fail in any way
        raise ValueError(
            f'checkpoint {name!r} is damaged or cannot be rebuilt here: {error!r}'
        ) from error


def _weights(content: Any) -> dict[str, Tensor] | None:
    """The state dict in a checkpoint, or None."""
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
