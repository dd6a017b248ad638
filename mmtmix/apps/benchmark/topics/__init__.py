"""Topics of the benchmark: which rows each one measures, and in which setting.

To add a topic, write a function that takes a :class:`~mmtmix.apps.benchmark.bench.Bench` and
returns :class:`Calls`, and give it an entry in :data:`TOPICS` and in ``mmtmix/cli/benchmark.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from mmtmix.apps.benchmark.bench import Bench
from mmtmix.apps.benchmark.setting import Setting

from .blind import blind
from .calls import Calls
from .data_path import loader, offline
from .generation import generation
from .learned import bfloat16, large_images, learned, puzzle
from .mask_quality import mask_quality
from .memory import faults
from .processes import startup
from .search import search
from .steps import steps
from .supermix import rivals, supermix
from .sweeps import SWEEPS, sweep_calls

__all__ = ['SHORT', 'SWEEPS', 'TOPICS', 'Calls', 'Topic', 'sweep_calls']


class Topic(NamedTuple):
    """A table of the benchmark.

    Attributes:
        build: Function that returns the calls of the table's rows.
        setting: Batch and teacher, unless arguments of the command change them.
        repeats: Number of timed rows of calls, unless an argument changes it.
        takes_config: Whether the trained classifier of ``--config`` is its teacher.
        needs_config: Whether it cannot be measured without one.
    """

    build: Callable[[Bench], Calls]
    setting: Setting = Setting()
    repeats: int = 11
    takes_config: bool = True
    needs_config: bool = False


TOPICS: dict[str, Topic] = {
    'faults': Topic(faults, takes_config=False),
    'blind': Topic(blind, repeats=41, takes_config=False),
    'blind224': Topic(blind, Setting(image_size=224, batch_size=64), takes_config=False),
    'learned': Topic(learned),
    'bfloat16': Topic(bfloat16),
    'resnet18': Topic(large_images, Setting('resnet18_cifar'), 5, takes_config=False),
    'imagenet': Topic(
        large_images,
        Setting('resnet50', image_size=224, num_classes=1000, batch_size=16),
        5,
        takes_config=False,
    ),
    'supermix': Topic(supermix, repeats=8, needs_config=True),
    'masks': Topic(mask_quality, needs_config=True),
    'rivals': Topic(rivals, repeats=3, needs_config=True),
    'puzzle': Topic(puzzle),
    'search': Topic(search),
    'steps': Topic(steps, repeats=5),
    'loader': Topic(loader, repeats=5, takes_config=False),
    'offline': Topic(offline, repeats=5, takes_config=False),
    'generation': Topic(generation, takes_config=False),
    'startup': Topic(startup, takes_config=False),
}
"""Topics by name, in the order in which they are measured."""

SHORT = ('blind', 'learned', 'search')
"""Topics of the short form, which measure ratios that need no trained teacher."""
