"""Times of calls, side by side."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping

import torch

from mmtmix.checks import check_integer


def seconds_of(call: Callable[[], object], device: str | torch.device) -> float:
    """Return the time of one call, with the work that it starts on its device.

    Args:
        call: Function to time.
        device: Device on which it runs.
    """
    device = torch.device(device)
    # of several devices another may be the current one; MPS has one and takes no name
    named = () if device.type == 'mps' else (device,)
    synchronize = getattr(torch, device.type).synchronize
    synchronize(*named)
    start = time.perf_counter()
    call()
    synchronize(*named)
    return time.perf_counter() - start


def median_seconds(
    calls: Mapping[str, Callable[[], object]], repeats: int, device: str | torch.device
) -> dict[str, float]:
    """Return the median time of each call; they alternate, so that other load slows all alike.

    Args:
        calls: Functions to time, by name.
        repeats: Number of timed calls of each, >= 1, after two to warm up.
        device: Device on which they run.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range.
    """
    check_integer('repeats', repeats, 1)
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(repeats + 2):
        for name, call in calls.items():
            value = seconds_of(call, device)
            if turn >= 2:
                seconds[name].append(value)
    return {name: statistics.median(values) for name, values in seconds.items()}
