"""Switch activation checkpointing off, which breaks the gradients of a frozen network."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn

# `with_cp` of MMPretrain and MMCV, `memory_efficient` of DenseNets; all others have "checkpoint"
# in their name: `use_checkpoint`, `grad_checkpointing` (timm), `gradient_checkpointing`, ...
_SWITCHES = ('with_cp', 'use_cp', 'memory_efficient')


def switch_off_recomputation(model: nn.Module) -> list[tuple[nn.Module, str]]:
    """Switch activation checkpointing off in every part of a network, in place.

    Reentrant checkpointing does not work with ``torch.autograd.grad``, which saliency maps and
    SuperMix use. It also passes no gradient to images whose network is frozen.

    Args:
        model: Any network.

    Returns:
        Modules and names of their attributes that were True and are False now.
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
    """Switch activation checkpointing off inside the block, and on again after it.

    Args:
        model: Any network.
    """
    switched = switch_off_recomputation(model)
    try:
        yield
    finally:
        for module, name in switched:
            setattr(module, name, True)
