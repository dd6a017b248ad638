"""Mixed precision without a gradient scaler, on any device."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from mmengine.device import get_device
from mmengine.optim import OptimWrapper
from mmpretrain.registry import OPTIM_WRAPPERS
from torch import nn


@OPTIM_WRAPPERS.register_module()
class AutocastOptimWrapper(OptimWrapper):
    """Runs the forward under bfloat16 autocast.

    MMEngine's ``AmpOptimWrapper`` refuses to work without an accelerator, and bfloat16, whose
    range is float32's, needs none of its loss scaling. Weights and optimizer stay float32.

    Args:
        **kwargs: As of MMEngine's ``OptimWrapper``.
    """

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        self._device_type = torch.device(get_device()).type

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Autocast, inside of what gradient accumulation needs."""
        with super().optim_context(model), torch.autocast(self._device_type, torch.bfloat16):
            yield
