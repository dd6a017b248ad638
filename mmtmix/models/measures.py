"""Diagnostics of a training step, kept on the device until the log needs them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor


class Measures:
    """Means of named measures since they were read last.

    Nothing waits for a device before :meth:`read`.
    """

    def __init__(self) -> None:
        self._sums: dict[str, Tensor] = {}
        self._counts: dict[str, int] = {}

    def add(self, name: str, total: Tensor, count: int) -> None:
        """Add measured values.

        Args:
            name: Name of the measure.
            total: Sum of the values, a scalar.
            count: Number of values, >= 1.
        """
        total = total.detach().double() if total.device.type != 'mps' else total.detach().float()
        before = self._sums.get(name)
        if before is not None and before.device == total.device:
            total, count = total + before, count + self._counts[name]
        self._sums[name], self._counts[name] = total, count

    def read(self) -> dict[str, float]:
        """Return the mean of each measure that was taken since the last call, and begin anew."""
        names = list(self._sums)
        by_device: dict[torch.device, list[str]] = {}
        for name in names:
            by_device.setdefault(self._sums[name].device, []).append(name)
        found: dict[str, float] = {}
        for group in by_device.values():  # one wait per device
            values = torch.stack([self._sums[name] for name in group]).tolist()
            found |= {name: v / self._counts[name] for name, v in zip(group, values, strict=True)}
        self._sums.clear()
        self._counts.clear()
        return {name: found[name] for name in names}


_active: Measures | None = None
_in_full = False


def is_measured() -> bool:
    """Return whether the measures of this step are taken."""
    return _active is not None


def is_measured_in_full() -> bool:
    """Return whether this step is logged, so that measures that cost time are worth taking."""
    return _in_full


@contextmanager
def measuring(measures: Measures, in_full: bool) -> Iterator[None]:
    """Take measures in a block.

    Args:
        measures: What collects them.
        in_full: Whether measures that cost time are taken, too.
    """
    global _active, _in_full
    before = _active, _in_full
    _active, _in_full = measures, in_full
    try:
        yield
    finally:
        _active, _in_full = before


def measure(name: str, value: Tensor) -> None:
    """Add a measure of this step; nothing happens in a step that nobody measures.

    Args:
        name: Name in the log, without ``loss`` in it: MMEngine adds up what has.
        value: Value, a scalar.
    """
    if _active is not None:
        _active.add(name, value, 1)


@torch.no_grad()
def count_hits(name: str, logits: Tensor, scores: Tensor) -> None:
    """Add the accuracy of a prediction, in percent; the largest share of a soft label counts.

    Args:
        name: Name in the log.
        logits: Logits, (N, num_classes).
        scores: Labels, (N, num_classes). Those of another number of classes are not counted.
    """
    if _active is not None and logits.shape == scores.shape and len(logits):
        hits = logits.argmax(dim=1) == scores.to(logits.device).argmax(dim=1)
        _active.add(name, 100 * hits.sum(), len(logits))
