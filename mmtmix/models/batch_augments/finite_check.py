"""Notice NaN and infinity in a batch without making the host wait for the GPU."""

from __future__ import annotations

import torch
from torch import Tensor

from mmtmix.models.late_verdict import LateVerdict


class FiniteCheck(LateVerdict):
    """Raises for a batch that holds NaN or infinity.

    On the CPU at once; on CUDA late, see :class:`~mmtmix.models.late_verdict.LateVerdict`.

    Args:
        name: The tensor's name in the error.
    """

    def __init__(self, name: str):
        super().__init__()
        self.name = name

    def __call__(self, batch: Tensor) -> None:
        """Check a batch.

        Args:
            batch: A floating-point tensor of any shape.

        Raises:
            ValueError: If it, or an earlier one whose verdict has arrived, is not finite.
        """
        # a sum is finite only if everything in it is, and costs less than a look at each
        finite = torch.isfinite(batch.detach().sum(dtype=torch.float32))
        shape = tuple(batch.shape)
        self.raise_unless(
            finite.view(1),
            lambda _: (
                f'{self.name} of shape {shape} holds NaN or infinity; look for damaged images '
                'or a std of 0 in the data_preprocessor, or images in float16 whose values '
                'overflow'
            ),
        )
