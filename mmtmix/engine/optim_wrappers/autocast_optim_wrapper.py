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

from mmtmix.checks import check_choice
from mmtmix.utils import AUTO, choose_dtype


@OPTIM_WRAPPERS.register_module()
class AutocastOptimWrapper(OptimWrapper):
    """Runs the forward in the precision in which the machine is fast.

    MMEngine's ``AmpOptimWrapper`` refuses to work without an accelerator, and bfloat16, whose
    range is float32's, needs none of its loss scaling. Weights and optimizer stay float32.

    Args:
        dtype: Dtype of the forward. ``'auto'`` is bfloat16 on accelerators and on CPUs that
            multiply it natively. It is float32 on CPUs that emulate bfloat16, where a step would
            take about ten times as long. ``'float32'`` and ``'bfloat16'`` fix it.
        **kwargs: Arguments of MMEngine's ``OptimWrapper``.

    Attributes:
        cast_dtype: The chosen dtype.

    Raises:
        ValueError: If ``dtype`` is none of these.
    """

    def __init__(self, dtype: str = AUTO, **kwargs: Any):
        cure = 'float16 needs loss scaling and so a GPU, with AmpOptimWrapper'
        check_choice('dtype', dtype, (AUTO, 'float32', 'bfloat16'), cure=cure)
        super().__init__(**kwargs)
        self._device_type = torch.device(get_device()).type
        self.cast_dtype = choose_dtype(dtype, self._device_type)

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Enter autocast, inside the context of gradient accumulation.

        Args:
            model: The model.
        """
        is_mixed = self.cast_dtype != torch.float32
        with (
            super().optim_context(model),
            torch.autocast(self._device_type, self.cast_dtype, enabled=is_mixed),
        ):
            yield
