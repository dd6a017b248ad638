"""Activation checkpointing, which gradients of a frozen network neither need nor survive."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn

# `with_cp` of MMPretrain and MMCV, `memory_efficient` of DenseNets; all others name it:
# `use_checkpoint`, `grad_checkpointing` (timm), `gradient_checkpointing` (transformers), ...
_SWITCHES = ('with_cp', 'use_cp', 'memory_efficient')


def switch_off_recomputation(model: nn.Module) -> list[tuple[nn.Module, str]]:
    """Switch activation checkpointing off in every part of a network, in place.

    Reentrant checkpointing refuses ``torch.autograd.grad``, which all saliency maps and SuperMix
    take, and passes no gradient to images whose network is frozen.

    Args:
        model: Any network.

    Returns:
        The modules and the names of their attributes that were True and are False now.
    """
    switched = [
        (module, name)
        for module in model.modules()
        for name, value in vars(module).items()
        if value is True and (name in _SWITCHES or 'checkpoint' in name)
    ]
    for module, name in switched:
        setattr(module, name, False)
    return switched


@contextmanager
def without_recomputation(model: nn.Module) -> Iterator[None]:
    """Switch activation checkpointing off inside the block, and back on behind it.

    Args:
        model: Any network.
    """
    switched = switch_off_recomputation(model)
    try:
        yield
    finally:
        for module, name in switched:
            setattr(module, name, True)
