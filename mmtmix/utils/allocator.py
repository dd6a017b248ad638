"""Settings of the C library's allocator for CPU work on large tensors.

By default glibc returns a large block to the system when it is freed. The next operation gets such
a block anew, and the kernel fills it with zeros page by page. A network on a CPU frees and takes
its activations at every operation. So a forward pass of a small network at batch 128 spends a
third of its time on page faults. ``mallopt(3)`` makes glibc keep what was freed.
"""

from __future__ import annotations

import ctypes
import os
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch  # the function runs without it

SWITCH = 'MMTMIX_MALLOPT'
"""Environment variable that leaves the allocator alone if it is ``0``."""

# from malloc.h
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3
_MIB = 2**20
_LARGEST = 32 * _MIB  # of the mmap threshold in older versions, DEFAULT_MMAP_THRESHOLD_MAX

# Settings of the user for the same purpose; see mallopt(3) and "Memory Allocation Tunables"
_VARIABLES = tuple(
    f'MALLOC_{name}_' for name in ('MMAP_THRESHOLD', 'MMAP_MAX', 'TRIM_THRESHOLD', 'TOP_PAD')
)
_TUNABLE = re.compile(r'glibc\.malloc\.(mmap_threshold|mmap_max|trim_threshold|top_pad)=')

_note = ''  # of this process, which has one allocator


class _SymbolInfo(ctypes.Structure):
    """``Dl_info`` of dladdr(3)."""

    _fields_ = [
        ('dli_fname', ctypes.c_char_p),
        ('dli_fbase', ctypes.c_void_p),
        ('dli_sname', ctypes.c_char_p),
        ('dli_saddr', ctypes.c_void_p),
    ]


def keep_freed_memory(device: str | torch.device = 'cpu') -> str:
    """Make glibc keep freed memory for the next operation, where that helps.

    Source: ``man 3 mallopt``. Blocks below 1 GiB (32 MiB in an old glibc) come from the heap. The
    heap grows by at least 256 MiB and shrinks when 2 GiB at its end are free. Memory that is
    reserved but unused is not resident. The process keeps its peak, up to that limit, until it
    ends; docs/costs.md has figures.

    The settings hold for the whole process and the processes that it forks, so importing this
    library does not make them. The commands call this function at their start. In a loop of your
    own call it once, before the first forward pass::

        from mmtmix.utils import keep_freed_memory

        keep_freed_memory()

    In a config for other tools, ``custom_hooks=[dict(type='KeepFreedMemoryHook')]`` calls it.

    Args:
        device: Device of the networks, such as ``'cpu'`` or ``'cuda:1'``. Nothing is set for a
            device other than the CPU.

    Returns:
        What was done, in one sentence for a log. It names the reason if nothing was set: another
        device or allocator, settings of the user, or ``MMTMIX_MALLOPT=0``.
    """
    global _note
    reason = _reason_against(str(device), os.environ)
    if reason:
        return f"The C library's allocator is unchanged: {reason}."
    libc = ctypes.CDLL(None)
    limit = 1024 * _MIB
    if not libc.mallopt(_MMAP_THRESHOLD, limit):
        limit = _LARGEST
        libc.mallopt(_MMAP_THRESHOLD, limit)
    libc.mallopt(_TRIM_THRESHOLD, 2**31 - 1)
    libc.mallopt(_TOP_PAD, 256 * _MIB)
    _note = (
        f'The C library keeps freed blocks of up to {limit // _MIB} MiB (mallopt), which saves '
        f'page faults; {SWITCH}=0 in the environment switches that off.'
    )
    return _note


def allocator_note() -> str:
    """Return what :func:`keep_freed_memory` did in this process; empty if it set nothing."""
    return _note


def _reason_against(device: str, environment: Mapping[str, str]) -> str:
    """Return why the allocator is to be left alone; empty if it is not.

    Args:
        device: Device of the networks.
        environment: Environment variables.
    """
    if environment.get(SWITCH) == '0':
        return f'{SWITCH} is 0'
    if device.partition(':')[0] != 'cpu':
        return f'the networks run on {device}'
    if not _uses_glibc():
        return 'it is not that of glibc'
    tunable = _TUNABLE.search(environment.get('GLIBC_TUNABLES', ''))
    found = [name for name in _VARIABLES if name in environment]
    if tunable:
        found.append('GLIBC_TUNABLES')
    return f'{found[0]} sets it' if found else ''


def _uses_glibc() -> bool:
    """Return whether this process's ``malloc`` is glibc's own, and not of a preloaded library."""
    try:
        libc = ctypes.CDLL(None)
        return _library_of(libc.malloc) == _library_of(libc.gnu_get_libc_version)
    except (AttributeError, OSError, TypeError):  # another C library; TypeError is of Windows
        return False


def _library_of(function: Any) -> int | None:
    """Return the address at which the library of a C function is loaded.

    Args:
        function: Function of a loaded library.
    """
    info = _SymbolInfo()
    dladdr = ctypes.CDLL(None).dladdr
    dladdr.argtypes = [ctypes.c_void_p, ctypes.POINTER(_SymbolInfo)]
    dladdr(ctypes.cast(function, ctypes.c_void_p), ctypes.byref(info))
    return info.dli_fbase
