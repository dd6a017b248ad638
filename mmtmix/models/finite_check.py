"""Notice NaN and infinity in tensors without making the host wait for the GPU."""

from __future__ import annotations

import torch
from torch import Tensor

from .late_verdict import LateVerdict


class FiniteCheck(LateVerdict):
    """Raises for tensors that hold NaN or infinity.

    On the CPU at once; on CUDA late, see :class:`~mmtmix.models.late_verdict.LateVerdict`.

    Args:
        name: Name of the tensors in the error.
        cure: Advice for the end of the error.
    """

    def __init__(self, name: str, cure: str):
        super().__init__()
        self.name = name
        self.cure = cure

    @torch.compiler.disable
    def __call__(self, *values: Tensor) -> None:
        """Check tensors of one batch.

        Args:
            *values: Floating-point tensors of any shape, on one device.

        Raises:
            ValueError: If one, or an earlier one whose verdict has arrived, is not finite.
        """
        # a sum is finite only if everything in it is, and costs less than a look at each
        sums = [value.detach().sum(dtype=torch.float32) for value in values]
        finite = torch.isfinite(torch.stack(sums))
        shapes = ' and '.join(str(tuple(value.shape)) for value in values)
        self.raise_unless(
            finite, lambda _: f'{self.name} of shape {shapes} holds NaN or infinity; {self.cure}'
        )
