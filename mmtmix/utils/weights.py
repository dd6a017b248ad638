"""Weights that fit a network and are finite."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from mmengine.model import is_model_wrapper
from torch import Tensor, nn

from .checkpoint import load_checkpoint

_MOST_KEYS = 6


def read_weights(
    model: nn.Module, checkpoint: str | os.PathLike, content: dict | None = None
) -> dict[str, Tensor]:
    """Read weights that fit a model exactly.

    Args:
        model: Network that they should fit; it is not changed.
        checkpoint: An MMEngine checkpoint or a bare state dict; its path, http(s) address, or
            ``mmtmix://NAME``.
        content: Value of :func:`load_checkpoint` for it; it is loaded if None.

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
    # values that a network itself sets to infinity, such as some masks, may be so
    trained = {key: value for key, value in state.items() if is_finite(own[key])}
    check_finite_weights(trained, f'checkpoint {str(checkpoint)!r}')
    return state


def check_finite_weights(state: Mapping[str, Tensor], owner: str) -> None:
    """Refuse weights that are not finite, as a training that diverged leaves them.

    Args:
        state: Weights by name.
        owner: Origin of the weights, such as their file, for the error.

    Raises:
        ValueError: If there is NaN or infinity among them; the error names the keys.
    """
    damaged = [key for key, value in state.items() if not is_finite(value)]
    if damaged:
        raise ValueError(
            f'{owner} holds NaN or infinity in {_shorten(damaged)}; its training has diverged: '
            'give an earlier checkpoint, or train anew with a lower learning rate or in float32'
        )


def without_masks(state: Mapping[str, Any]) -> dict[str, Tensor]:
    """Leave out tensors that are infinite on purpose, as some masks are.

    It serves checkpoints without a network to compare them with.

    Args:
        state: Values by name.

    Returns:
        The tensors whose infinities stand beside other values than 0, or that have none.
    """
    tensors = {key: value for key, value in state.items() if isinstance(value, Tensor)}
    return {key: value for key, value in tensors.items() if not _is_mask(value)}


def _is_mask(value: Tensor) -> bool:
    return not is_finite(value) and bool((value.isinf() | (value == 0)).all())


def is_finite(value: Any) -> bool:
    """Return whether a tensor has neither NaN nor infinity; True for other values.

    Args:
        value: Any value.
    """
    if not isinstance(value, Tensor) or not value.is_floating_point():
        return True
    if value.element_size() == 1:  # float8 has no isfinite
        value = value.float()
    return bool(value.isfinite().all())


def _shorten(keys: list[str]) -> str:
    more = f' and {len(keys) - _MOST_KEYS} more' if len(keys) > _MOST_KEYS else ''
    return ', '.join(keys[:_MOST_KEYS]) + more


def unwrap(model: Any) -> Any:
    """Return a model out of the wrapper that distributed training puts around it.

    Args:
        model: A model, wrapped or not.
    """
    return model.module if is_model_wrapper(model) else model
