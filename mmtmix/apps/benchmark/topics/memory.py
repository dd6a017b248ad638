"""What the allocator's settings do to work on a CPU, measured in processes of their own."""

from __future__ import annotations

import json
import resource
import sys
import time
from functools import partial

import torch

from mmtmix.apps.benchmark.bench import Bench
from mmtmix.apps.benchmark.report import Row
from mmtmix.apps.benchmark.setting import Setting
from mmtmix.utils import keep_freed_memory

from .calls import Calls
from .processes import run_python
from .steps import SIMPLE, steps

FAULTS = 'page faults of 6 forward passes'
_PLAIN = "the C library's own settings"
_CALLS = 6
_CASES = {
    FAULTS: ('wrn16_1', 32, 128, False),
    f'page faults of {_CALLS} training steps': ('wrn16_1', 32, 128, True),
    f'page faults of {_CALLS} steps of a ResNet-18, 16 at 224 px': ('resnet18', 224, 16, True),
}
"""Network, image size, batch size, and whether it is trained, by the names of the rows."""

_SCRIPT = """
from mmtmix.apps.benchmark.topics import memory
memory.print_usage(*{arguments!r})
"""


def faults(bench: Bench) -> Calls:
    """Return page faults, CPU time and memory, with and without the commands' allocator settings.

    With its own settings glibc may return activations to the system at each operation. It gets
    them back zeroed, page by page. Whether it does depends on what a process freed before.

    Args:
        bench: Bench, whose device counts alone.
    """
    if torch.device(bench.device).type != 'cpu':
        return Calls(missing={FAULTS: 'they concern CPUs'})
    calls = Calls()
    for name, case in _CASES.items():
        calls.once[f'{name}, {_PLAIN}'] = partial(_row, *case, False)
        calls.once[name] = partial(_row, *case, True)
    return calls


def print_usage(teacher: str, image_size: int, batch_size: int, trains: bool, keep: bool) -> None:
    """Print what six calls take in this process, after one to warm up.

    Args:
        teacher: Name of the network.
        image_size: Edge of the images in pixels, >= 1.
        batch_size: Number of images, >= 1.
        trains: Whether a call is a training step; else it is a forward pass.
        keep: Whether the allocator is set as the commands set it.
    """
    torch.set_num_threads(1)
    if keep:
        keep_freed_memory('cpu')
    setting = Setting(teacher=teacher, image_size=image_size, batch_size=batch_size)
    bench = Bench(setting)
    call = steps(bench).timed[SIMPLE] if trains else bench.forward()
    call()
    before, start = resource.getrusage(resource.RUSAGE_SELF), time.process_time()
    for _ in range(_CALLS):
        call()
    seconds, after = time.process_time() - start, resource.getrusage(resource.RUSAGE_SELF)
    # in kibibytes, but in bytes on macOS
    peak = after.ru_maxrss * (1 if sys.platform == 'darwin' else 1024)
    found = dict(seconds=seconds / _CALLS, value=after.ru_minflt - before.ru_minflt)
    print(json.dumps(found | dict(megabytes=peak / 2**20)))


def _row(*arguments: object) -> Row:
    printed = run_python('-c', _SCRIPT.format(arguments=arguments))
    return Row(**json.loads(printed.splitlines()[-1]))
