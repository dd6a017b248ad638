"""Peak memory of a call."""

from __future__ import annotations

import ctypes
import ctypes.util
import gc
from collections.abc import Callable
from pathlib import Path

import torch

_RESET_PEAK = '5'  # resets a process's peak in Linux, see proc(5), clear_refs


def peak_memory(call: Callable[[], object], device: str | torch.device) -> int | None:
    """Return the bytes that a call needs at its peak, beyond those in use before it.

    Args:
        call: Function to measure.
        device: Device on which it runs. On CUDA the allocator counts; on a CPU the kernel counts
            the process's resident memory.

    Returns:
        The bytes; None on other devices and on CPUs without Linux, where nothing counts.
    """
    gc.collect()
    if torch.device(device).type == 'cuda':
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        call()
        return torch.cuda.max_memory_allocated(device) - before
    process = Path('/proc/self')
    if torch.device(device).type != 'cpu' or not (process / 'clear_refs').exists():
        return None
    _return_free_memory()
    (process / 'clear_refs').write_text(_RESET_PEAK)
    before = _status(process, 'VmRSS')
    call()
    return max(0, _status(process, 'VmHWM') - before)


def _return_free_memory() -> None:
    """Make the C library return freed memory to the system, since it would hide new use."""
    trim = getattr(ctypes.CDLL(ctypes.util.find_library('c')), 'malloc_trim', None)
    if trim is not None:  # glibc has it
        trim(0)


def _status(process: Path, name: str) -> int:
    for line in (process / 'status').read_text().splitlines():
        if line.startswith(f'{name}:'):
            return int(line.split()[1]) * 1024
    raise OSError(f'/proc/self/status has no {name}')
