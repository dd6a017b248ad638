"""Raise for bad values in tensors without making the host wait for the GPU."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any
from weakref import WeakSet

import torch
from torch import Tensor

Judge = Callable[[list[float]], str | None]
Describe = Callable[[list[bool]], str]
_waiting: WeakSet[LateVerdict] = WeakSet()  # with verdicts that have not arrived


class LateVerdict:
    """Raises for what was computed on a tensor's device.

    On the CPU it raises at once. On CUDA the values are copied in the background, and a later call
    raises once they have arrived: a step or two late, but the host never waits.
    """

    def __init__(self) -> None:
        self._pending: deque[tuple[torch.cuda.Event, Tensor, Judge]] = deque()

    def __getstate__(self) -> dict[str, Any]:
        # a copy, also one for a loader's worker, has no events of this process's GPU
        return {**self.__dict__, '_pending': deque()}

    def raise_unless(self, flags: Tensor, describe: Describe) -> None:
        """Store flags, and raise if one of these or earlier ones has arrived and is false.

        Args:
            flags: Conditions that should hold, bool (F,).
            describe: Function that makes the error's text from the F flags, if one is false.

        Raises:
            ValueError: If a flag is false.
        """
        self.raise_if(
            flags, lambda arrived: None if all(arrived) else describe([bool(x) for x in arrived])
        )

    def raise_if(self, values: Tensor, judge: Judge) -> None:
        """Store values, and raise if these or earlier ones have arrived and are bad.

        Comparing them on the host saves several kernels.

        Args:
            values: Values to judge, (V,).
            judge: Function that returns the error's text for V bad values, and None for good ones.

        Raises:
            ValueError: If values are bad.
        """
        if not values.is_cuda:
            _raise_if(values, judge)
            return
        arriving = values.to('cpu', non_blocking=True)
        event = torch.cuda.Event()
        event.record()
        self._pending.append((event, arriving, judge))
        _waiting.add(self)
        while self._pending and self._pending[0][0].query():
            self._raise_first()

    def settle(self) -> None:
        """Wait for all verdicts, and raise for the first that is bad.

        Raises:
            ValueError: If there is one.
        """
        while self._pending:
            self._pending[0][0].synchronize()
            self._raise_first()

    def _raise_first(self) -> None:
        _, arrived, judge = self._pending.popleft()
        _raise_if(arrived, judge)


class FiniteCheck(LateVerdict):
    """Raises for tensors that hold NaN or infinity.

    It raises at once on the CPU, and later on CUDA; see :class:`LateVerdict`.

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
        self.judge_sums([finite_sum(value) for value in values], [value.shape for value in values])

    def judge_sums(self, sums: Sequence[Tensor], shapes: Sequence[Sequence[int]]) -> None:
        """Check tensors whose sums are known.

        Args:
            sums: Results of :func:`finite_sum` for all parts of the tensors, at least one.
            shapes: Shapes of the tensors, for the error.

        Raises:
            ValueError: As a call does.
        """

        def judge(arrived: list[float]) -> str | None:
            if all(map(math.isfinite, arrived)):
                return None
            shape = ' and '.join(str(tuple(shape)) for shape in shapes)
            return f'{self.name} of shape {shape} holds NaN or infinity; {self.cure}'

        self.raise_if(sums[0].view(1) if len(sums) == 1 else torch.stack(list(sums)), judge)


def finite_sum(values: Tensor) -> Tensor:
    """Return a sum that is finite only if every value is, which costs less than a test of each.

    Args:
        values: Floating-point values of any shape.

    Returns:
        Their sum in float32, without gradients.
    """
    return values.detach().sum(dtype=torch.float32)


def settle_verdicts() -> None:
    """Wait for all verdicts in this process, at a point where the host waits for the GPU anyway.

    Raises:
        ValueError: If one is bad.
    """
    while _waiting:
        _waiting.pop().settle()


def _raise_if(values: Tensor, judge: Judge) -> None:
    problem = judge(values.tolist())
    if problem is not None:
        raise ValueError(problem)
