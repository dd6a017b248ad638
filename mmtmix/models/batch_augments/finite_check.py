"""Notice NaN and infinity in a batch without making the host wait for the GPU."""

from __future__ import annotations

from collections import deque

import torch
from torch import Tensor


class FiniteCheck:
    """Raises for a batch that holds NaN or infinity.

    On the CPU at once. On CUDA the verdict is copied in the background and raised by a later
    call, once it has arrived: a step or two late, but the host never waits.

    Args:
        name: The tensor's name in the error.
    """

    def __init__(self, name: str):
        self.name = name
        self._pending: deque[tuple[torch.cuda.Event, Tensor, tuple[int, ...]]] = deque()

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
        if not batch.is_cuda:
            self._raise_unless(finite, shape)
            return
        verdict = finite.to('cpu', non_blocking=True)
        event = torch.cuda.Event()
        event.record()
        self._pending.append((event, verdict, shape))
        while self._pending and self._pending[0][0].query():
            _, verdict, shape = self._pending.popleft()
            self._raise_unless(verdict, shape)

    def _raise_unless(self, finite: Tensor, shape: tuple[int, ...]) -> None:
        if not finite:
            raise ValueError(
                f'{self.name} of shape {shape} holds NaN or infinity; look for damaged images '
                'or a std of 0 in the data_preprocessor, or images in float16 whose values '
                'overflow'
            )
