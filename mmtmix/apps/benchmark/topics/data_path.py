"""What feeds a training: loaders, and sets of mixed images."""

from __future__ import annotations

import tempfile

from mmtmix.apps.benchmark.bench import Bench
from mmtmix.apps.benchmark.loaders import (
    BARE_STEP,
    ORDINARY,
    RESIDENT,
    RESIDENT_STEP,
    DataBench,
)
from mmtmix.apps.benchmark.offline import OFFLINE, offline_reads
from mmtmix.utils import load_config

from .calls import Calls

__all__ = ['BARE_STEP', 'OFFLINE', 'ORDINARY', 'RESIDENT', 'RESIDENT_STEP', 'loader', 'offline']

_CONFIG = 'mmtmix::simple/wrn16_fashionmnist_mini.py'


def loader(bench: Bench) -> Calls:
    """Return MMPretrain's loader, ours in memory, and training steps on both.

    The images are the bundled Fashion-MNIST's, 28x28, with crops and flips.

    Args:
        bench: Bench, whose device holds the images and trains.
    """
    size = bench.setting.batch_size
    data = DataBench(load_config(_CONFIG), bench.device, size, bench.seed)
    calls = Calls(data.calls(), images=size)
    calls.counted = tuple(calls.timed)
    return calls


def offline(bench: Bench) -> Calls:
    """Return the reading of a batch from a set of mixed images, beside other files of the same.

    Args:
        bench: Bench, whose batch and image size count.
    """
    folder = tempfile.TemporaryDirectory()
    setting = bench.setting
    size = dict(image_size=setting.image_size, batch_size=setting.batch_size)
    calls = Calls(offline_reads(folder.name, **size), images=setting.batch_size)
    calls.counted, calls.close = tuple(calls.timed), folder.cleanup
    return calls
