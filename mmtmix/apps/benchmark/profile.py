"""Operators that an augment spends its time in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile

_CALLS = 3
_SHOWN = 12


def profile_call(call: Callable[[], Any], device: str) -> list[dict[str, Any]]:
    """Return the operators of a call that take the most time of their own, most first.

    Args:
        call: Function to profile; it runs once to warm up, then three times.
        device: Device on which it runs. On CUDA an operator's time is that of its kernels.

    Returns:
        At most 12 entries with ``operator``, ``calls`` (number per call) and ``share`` (of the
        time of all operators, in [0, 1]).
    """
    is_cuda = torch.device(device).type == 'cuda'
    activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if is_cuda else [])]
    call()
    with profile(activities=activities) as found:
        for _ in range(_CALLS):
            call()
    field = 'self_device_time_total' if is_cuda else 'self_cpu_time_total'
    events = sorted(found.key_averages(), key=lambda event: -getattr(event, field))
    total = sum(getattr(event, field) for event in events) or 1.0
    return [
        dict(
            operator=event.key,
            calls=round(event.count / _CALLS, 1),
            share=round(getattr(event, field) / total, 4),
        )
        for event in events[:_SHOWN]
    ]
