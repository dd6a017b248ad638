"""A model in the memory format in which convolutions are fastest."""

from __future__ import annotations

from typing import Any

import torch
from mmengine.hooks import Hook
from mmpretrain.registry import HOOKS


@HOOKS.register_module()
class ChannelsLastHook(Hook):
    """Trains the model with channels-last weights, and so with channels-last activations.

    The values are the same up to rounding. Convolutions in half precision on GPUs, and in bfloat16
    on CPUs, are optimised for this order. Inputs need no change, since the first convolution
    outputs the order of its weights. A teacher has its own switch, see
    :class:`~mmtmix.models.FrozenTeacher`. The hook is meant for runs of one process: it acts after
    DDP has wrapped the model, and DDP then copies gradients into buckets of the other order.
    """

    def before_train(self, runner: Any) -> None:
        """Reorder the weights."""
        runner.model.to(memory_format=torch.channels_last)
