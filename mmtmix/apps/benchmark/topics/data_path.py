"""What feeds a training: loaders, and sets of mixed images."""

from __future__ import annotations

import tempfile
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

from mmtmix.apps.benchmark.bench import Bench
from mmtmix.utils import load_config

from .calls import Calls

ORDINARY, RESIDENT = 'ordinary loader', 'resident loader'
MIXED_IMAGES = 'offline set, batched'
BARE_STEP, RESIDENT_STEP = 'bare step', 'step with resident loader'
_CONFIG = 'mmtmix::simple/wrn16_fashionmnist_mini.py'


def loader(bench: Bench) -> Calls:
    """Return MMPretrain's loader, ours in memory, and training steps on both.

    The images are the bundled Fashion-MNIST's, 28x28, with crops and flips.

    Args:
        bench: Bench, whose device holds the images and trains.
    """
    module = _module('loaders')
    if module is None:
        names = ORDINARY, RESIDENT, BARE_STEP, RESIDENT_STEP
        return Calls(missing=dict.fromkeys(names, _absent('loaders')))
    size = bench.setting.batch_size
    data = module.DataBench(load_config(_CONFIG), bench.device, size, bench.seed)
    calls = Calls(data.calls(), images=size)
    calls.counted = tuple(calls.timed)
    return calls


def offline(bench: Bench) -> Calls:
    """Return the reading of a batch from a set of mixed images, beside other files of the same.

    Args:
        bench: Bench, whose batch and image size count.
    """
    module = _module('offline')
    if module is None:
        return Calls(missing={MIXED_IMAGES: _absent('offline')})
    folder = tempfile.TemporaryDirectory()
    setting = bench.setting
    size = dict(image_size=setting.image_size, batch_size=setting.batch_size)
    calls = Calls(module.offline_reads(folder.name, **size), images=setting.batch_size)
    calls.counted, calls.close = tuple(calls.timed), folder.cleanup
    return calls


def _module(name: str) -> ModuleType | None:
    full = f'mmtmix.apps.benchmark.{name}'
    return import_module(full) if find_spec(full) else None


def _absent(name: str) -> str:
    return f'this version has no mmtmix.apps.benchmark.{name}'
