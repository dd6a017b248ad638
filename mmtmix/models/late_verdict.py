"""Raise for bad values in a tensor without making the host wait for the GPU."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

Describe = Callable[[list[bool]], str]


class LateVerdict:
    """Raises for conditions that were evaluated on a tensor's device.

    On the CPU it raises at once. On CUDA the flags are copied in the background, and a later call
    raises once they have arrived: a step or two late, but the host never waits.
    """

    def __init__(self) -> None:
        self._pending: deque[tuple[torch.cuda.Event, Tensor, Describe]] = deque()

    def __getstate__(self) -> dict[str, Any]:
        # a copy, also one for a loader's worker, has no events of this process's GPU
        return {**self.__dict__, '_pending': deque()}

    def raise_unless(self, flags: Tensor, describe: Describe) -> None:
        """Take note of flags, and raise if these or earlier ones are known to be false.

        Args:
            flags: What should hold, bool (F,).
            describe: Makes the error's text from the F flags; called if one is false.

        Raises:
            ValueError: If a flag is false.
        """
        if not flags.is_cuda:
            _raise_unless(flags, describe)
            return
        arriving = flags.to('cpu', non_blocking=True)
        event = torch.cuda.Event()
        event.record()
        self._pending.append((event, arriving, describe))
        while self._pending and self._pending[0][0].query():
            _, arrived, describe = self._pending.popleft()
            _raise_unless(arrived, describe)


def _raise_unless(flags: Tensor, describe: Describe) -> None:
    values = flags.tolist()
    if not all(values):
        raise ValueError(describe(values))
