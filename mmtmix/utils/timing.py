"""Times of calls, side by side."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch

from mmtmix.checks import check_integer, check_number

Call = Callable[[], object]

ROW_SECONDS = 0.01
_MOST_CALLS = 100  # per row, so that a call that costs nothing ends as well


class Timing(NamedTuple):
    """Time of a call, from several rows of calls.

    Attributes:
        median: Median seconds per call, >= 0.
        spread: Interquartile range of the seconds per call, >= 0; 0 for a single row.
    """

    median: float
    spread: float


def seconds_of(call: Call, device: str | torch.device, count: int = 1) -> float:
    """Return the seconds of some calls in a row, with the work that they start on their device.

    On CUDA it is the time between two events, so the host runs ahead as it does in training. On a
    CPU it is the CPU time of this process, of all its threads. Other processes then change it
    little. On other devices it is wall time.

    Args:
        call: Function to time.
        device: Device on which it runs.
        count: Number of calls, >= 1.
    """
    device = torch.device(device)
    if device.type == 'cuda':
        return _between_events(call, device, count)
    wait = torch.mps.synchronize if device.type == 'mps' else _nothing
    clock = time.process_time if device.type == 'cpu' else time.perf_counter
    wait()
    start = clock()
    for _ in range(count):
        call()
    wait()
    return clock() - start


def time_in_turns(
    calls: Mapping[str, Call],
    repeats: int,
    device: str | torch.device,
    row_seconds: float = ROW_SECONDS,
) -> dict[str, Timing]:
    """Return the time of each call; they take turns, so that other load slows all alike.

    Args:
        calls: Functions to time, by name.
        repeats: Number of timed rows of each, >= 1, after two calls to warm up.
        device: Device on which they run.
        row_seconds: Least seconds of a row, >= 0. A row is as many calls as that takes, and at
            most 100.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range.
    """
    check_integer('repeats', repeats, 1)
    check_number('row_seconds', row_seconds, 0)
    counts: dict[str, int] = {}
    for name, call in calls.items():
        seconds_of(call, device)
        once = max(seconds_of(call, device), 1e-6)
        counts[name] = min(max(1, math.ceil(row_seconds / once)), _MOST_CALLS)
    found: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(repeats):
        for name, call in calls.items():
            found[name].append(seconds_of(call, device, counts[name]) / counts[name])
    return {
        name: Timing(statistics.median(seconds), _spread(seconds))
        for name, seconds in found.items()
    }


def _between_events(call: Call, device: torch.device, count: int) -> float:
    with torch.cuda.device(device):
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        torch.cuda.synchronize()  # nothing older is counted
        start.record()
        for _ in range(count):
            call()
        end.record()
        end.synchronize()
        return start.elapsed_time(end) / 1e3


def _spread(values: list[float]) -> float:
    if len(values) < 2:
        return 0.0
    low, _, high = statistics.quantiles(values, n=4, method='inclusive')
    return high - low


def _nothing() -> None:
    """Wait for no device."""
