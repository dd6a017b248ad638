"""Raise for bad values in a tensor without making the host wait for the GPU."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any
from weakref import WeakSet

import torch
from torch import Tensor

Describe = Callable[[list[bool]], str]
_waiting: WeakSet[LateVerdict] = WeakSet()  # those with verdicts on the way


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
        _waiting.add(self)
        while self._pending and self._pending[0][0].query():
            self._raise_first()

    def settle(self) -> None:
        """Wait for the verdicts on the way, and raise for the first that is false.

        Raises:
            ValueError: If a flag is false.
        """
        while self._pending:
            self._pending[0][0].synchronize()
            self._raise_first()

    def _raise_first(self) -> None:
        _, arrived, describe = self._pending.popleft()
        _raise_unless(arrived, describe)


def settle_verdicts() -> None:
    """Wait for all verdicts on the way in this process, where the host waits for the GPU anyway.

    Raises:
        ValueError: If one is false.
    """
    while _waiting:
        _waiting.pop().settle()


def _raise_unless(flags: Tensor, describe: Describe) -> None:
    values = flags.tolist()
    if not all(values):
        raise ValueError(describe(values))
