"""Page faults of a forward pass on a CPU, measured in processes of their own."""

from __future__ import annotations

import resource
from functools import partial

import torch

from mmtmix.apps.benchmark.bench import Bench
from mmtmix.apps.benchmark.report import Row
from mmtmix.apps.benchmark.setting import Setting
from mmtmix.utils import keep_freed_memory

from .calls import Calls
from .processes import run_python

FAULTS = 'page faults of 6 forward passes'
PLAIN_FAULTS = f"{FAULTS}, the C library's own settings"
_PASSES = 6
_SCRIPT = """
from mmtmix.apps.benchmark.topics import memory
print(memory.count_faults({keep}, {size}))
"""


def faults(bench: Bench) -> Calls:
    """Return the page faults of a WRN-16-1, with and without the commands' allocator settings.

    With its own settings glibc may return activations to the system at each operation. It gets
    them back zeroed, page by page. Whether it does depends on what a process freed before.

    Args:
        bench: Bench, whose batch size counts.
    """
    if torch.device(bench.device).type != 'cpu':
        return Calls(missing={FAULTS: 'they concern CPUs'})
    size = bench.setting.batch_size
    names = ((PLAIN_FAULTS, False), (FAULTS, True))
    return Calls(once={name: partial(_row, keep, size) for name, keep in names})


def count_faults(keep: bool, batch_size: int) -> int:
    """Return the page faults of forward passes in this process, after one to warm up.

    Args:
        keep: Whether the allocator is set as the commands set it.
        batch_size: Number of images, >= 1.
    """
    torch.set_num_threads(1)
    if keep:
        keep_freed_memory('cpu')
    forward = Bench(Setting(batch_size=batch_size)).forward()
    forward()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(_PASSES):
        forward()
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def _row(keep: bool, batch_size: int) -> Row:
    printed = run_python('-c', _SCRIPT.format(keep=keep, size=batch_size))
    return Row(value=float(printed.split()[-1]))
