"""The precision in which this machine computes fast."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import NamedTuple

import torch
import torch.nn.functional as F
from mmengine.logging import print_log

from mmtmix.checks import check_choice

AUTO = 'auto'
DTYPES = {'float32': torch.float32, 'bfloat16': torch.bfloat16, 'float16': torch.float16}


class Precision(NamedTuple):
    """A dtype and the reason for it.

    Attributes:
        dtype: Dtype of matrix products and convolutions under autocast; float32 means no autocast.
        reason: Reason for which ``'auto'`` chose it, for a log.
    """

    dtype: torch.dtype
    reason: str

    @property
    def name(self) -> str:
        """The dtype's name, such as ``'bfloat16'``."""
        return dtype_name(self.dtype)


def dtype_name(dtype: torch.dtype) -> str:
    """Return the name of a dtype, such as ``'bfloat16'`` for ``torch.bfloat16``.

    Args:
        dtype: A dtype of torch.
    """
    return str(dtype).removeprefix('torch.')


@cache
def fast_precision(device_type: str) -> Precision:
    """Choose between bfloat16 and float32, once per process.

    Accelerators get bfloat16. A CPU gets it where it multiplies bfloat16 natively (AVX512-BF16,
    AMX); elsewhere torch emulates it, which takes several times as long as float32. CPUs other
    than x86 are measured for a tenth of a second. The choice is logged.

    Args:
        device_type: ``'cpu'``, ``'cuda'`` or another type of ``torch.device``.
    """
    if device_type != 'cpu':
        chosen = Precision(torch.bfloat16, f'the device is {device_type}')
    elif (native := _multiplies_bfloat16()) is not None:
        reason = (
            'this CPU multiplies bfloat16 natively' if native else 'this CPU emulates bfloat16'
        )
        chosen = Precision(torch.bfloat16 if native else torch.float32, reason)
    else:
        factor = _seconds(torch.bfloat16) / _seconds(torch.float32)
        chosen = Precision(
            torch.bfloat16 if factor < 1 else torch.float32,
            f'a convolution in bfloat16 takes {factor:.2g} times as long as in float32',
        )
    print_log(f"dtype='auto' is {chosen.name} here: {chosen.reason}", logger='current')
    return chosen


def is_faster_in_half(device: str) -> bool:
    """Return whether a device computes faster under autocast than in float32.

    Args:
        device: Device such as ``'cpu'`` or ``'cuda:0'``.
    """
    return fast_precision(torch.device(device).type).dtype != torch.float32


def choose_dtype(dtype: str, device_type: str) -> torch.dtype:
    """Return the torch dtype of an option.

    Args:
        dtype: Name in :data:`DTYPES`, or ``'auto'``.
        device_type: Type of the device that computes.

    Raises:
        ValueError: If the name is unknown.
    """
    check_dtype(dtype)
    return fast_precision(device_type).dtype if dtype == AUTO else DTYPES[dtype]


def check_dtype(dtype: str) -> None:
    """Refuse an unknown dtype.

    Args:
        dtype: Name in :data:`DTYPES`, or ``'auto'``.

    Raises:
        ValueError: If the name is unknown.
    """
    check_choice('dtype', dtype, (AUTO, *DTYPES))


def _multiplies_bfloat16() -> bool | None:
    """Return whether an x86 CPU does so natively; None for other CPUs."""
    # mkldnn's own check accepts AVX512 without BF16, where oneDNN emulates as well
    checks: list[Callable[[], bool]] = [
        getattr(torch.cpu, name)
        for name in ('_is_avx512_bf16_supported', '_is_amx_tile_supported')
        if hasattr(torch.cpu, name)
    ]
    if not checks or platform.machine().lower() not in ('x86_64', 'amd64'):
        return None
    return any(check() for check in checks)


@torch.inference_mode(False)
@torch.enable_grad()
@torch.autocast('cpu', enabled=False)
def _seconds(dtype: torch.dtype) -> float:
    """Return the shortest of several times of a convolution's forward and backward pass."""
    # a caller may be in no_grad, in inference mode or under autocast
    images = torch.ones(32, 16, 16, 16, dtype=dtype, requires_grad=True)
    weights = torch.ones(32, 16, 3, 3, dtype=dtype)
    times: list[float] = []
    end = time.perf_counter() + 0.05
    while len(times) < 3 or time.perf_counter() < end:
        start = time.perf_counter()
        F.conv2d(images, weights, padding=1).sum().backward()
        times.append(time.perf_counter() - start)
    return min(times)


def autocast_as(dtype: str | None, device_type: str) -> AbstractContextManager:
    """Return the context of a frozen network's passes.

    Args:
        dtype: Name of a dtype; None to compute as the caller does; ``AUTO`` to do so too, but not
            in an emulated dtype.
        device_type: Type of the device, such as ``'cuda'``.
    """
    if dtype is None:
        return nullcontext()
    if dtype == AUTO:
        follows = not torch.is_autocast_enabled(device_type) or is_faster_in_half(device_type)
        return nullcontext() if follows else torch.autocast(device_type, enabled=False)
    wanted = DTYPES[dtype]
    return torch.autocast(device_type, wanted, enabled=wanted != torch.float32)
