"""The most memory that a call needs."""

from __future__ import annotations

import ctypes
import ctypes.util
import gc
from collections.abc import Callable
from pathlib import Path

import torch

_RESET_PEAK = '5'  # what makes Linux forget a process's peak, see proc(5), clear_refs


def peak_memory(call: Callable[[], object], device: str | torch.device) -> int | None:
    """Bytes that a call needs at its peak, beyond what is in use before it.

    Args:
        call: What to measure.
        device: Where it runs: on CUDA the allocator counts, on a CPU the kernel counts the
            process's resident memory.

    Returns:
        The bytes, or None where nothing counts: on other devices, and CPUs without Linux.
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
    """Let the C library give back what earlier calls freed, which would hide new use."""
    trim = getattr(ctypes.CDLL(ctypes.util.find_library('c')), 'malloc_trim', None)
    if trim is not None:  # glibc has it
        trim(0)


def _status(process: Path, name: str) -> int:
    for line in (process / 'status').read_text().splitlines():
        if line.startswith(f'{name}:'):
            return int(line.split()[1]) * 1024
    raise OSError(f'/proc/self/status has no {name}')
