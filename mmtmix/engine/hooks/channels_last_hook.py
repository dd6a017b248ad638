"""A model in the memory format that convolutions are fastest in."""

from __future__ import annotations

from typing import Any

import torch
from mmengine.hooks import Hook
from mmpretrain.registry import HOOKS


@HOOKS.register_module()
class ChannelsLastHook(Hook):
    """Trains the model with channels-last weights, and so with channels-last activations.

    The values are the same to rounding. Convolutions in half precision on GPUs, and in bfloat16
    on CPUs, are made for this order; inputs need no change, since the first convolution passes
    the order of its weights on. A teacher has its own switch, see
    :class:`~mmtmix.models.FrozenTeacher`. It comes after DDP has wrapped the model, which then
    copies gradients into buckets of the other order: for runs of one process.
    """

    def before_train(self, runner: Any) -> None:
        """Reorder the weights."""
        runner.model.to(memory_format=torch.channels_last)
