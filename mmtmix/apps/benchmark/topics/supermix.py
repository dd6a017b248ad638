"""SuperMix with a trained teacher, and the rivals of its solver."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from mmpretrain.registry import BATCH_AUGMENTS

from mmtmix.apps.benchmark.bench import Batch, Bench, Call
from mmtmix.apps.benchmark.report import FORWARD, Row, measure_row
from mmtmix.functional import SUPERMIX_PAPER
from mmtmix.models import BatchAugment
from mmtmix.models.draw import Details

from .calls import Calls

SUPERMIX = 'SuperMix'
BATCHES = 4
METHODS = {f'{SUPERMIX} without smooth projection': 'newton_tv', f'{SUPERMIX} by SGD': 'sgd'}
"""Methods of the paper's section 4.4, by the names of their rows."""


def supermix(bench: Bench) -> Calls:
    """Return SuperMix with two and three images per mix, beside the teacher's forward pass.

    Four batches take turns, since its time and its result depend on the images.

    Args:
        bench: Batch and trained teacher.
    """
    calls = Calls({FORWARD: bench.forward()})
    batches = [bench.images(number) for number in range(BATCHES)]
    for num_mix, name in ((2, SUPERMIX), (3, f'{SUPERMIX} k=3')):
        config = dict(type='SuperMix', teacher=bench.teacher, num_mix=num_mix)
        calls.timed[name] = _in_turns(BATCH_AUGMENTS.build(config), batches, bench.seed)
        published = BATCH_AUGMENTS.build(config | SUPERMIX_PAPER)
        calls.timed[f'{name} as published'] = _in_turns(published, batches, bench.seed)
    return calls


def _in_turns(augment: BatchAugment, batches: Sequence[Batch], seed: int) -> Call:
    """Return a function that mixes one batch after another.

    It returns the iterations and the finished samples of all batches so far. The finished share
    of one batch varies too much.
    """
    turns = itertools.cycle(range(len(batches)))
    found: dict[int, Details] = {}

    def call() -> Details:
        number = next(turns)
        torch.manual_seed(seed + number)
        found[number] = augment(*batches[number], return_details=True)[2]
        names = ('iterations', 'finished')
        return {name: torch.cat([each[name] for each in found.values()]) for name in names}

    return call


def rivals(bench: Bench) -> Calls:
    """Return SuperMix with the paper's settings and its rivals, each measured once.

    The rivals try to finish as many samples as SuperMix did. Then each rival and SuperMix run
    until they have finished the share that the rival reached, without stopping early.

    Args:
        bench: Batch and trained teacher.
    """
    shares: dict[str, float] = {}

    def solve(name: str, **settings: Any) -> Row:
        settings = SUPERMIX_PAPER | settings
        mix = bench.mixer(True, type='SuperMix', teacher=bench.teacher, **settings)
        row = measure_row(mix, None, bench.device)
        shares[name] = row.finished or 0.0
        return row

    def until(name: str, share_of: str, method: str) -> Row:
        return solve(
            name,
            method=method,
            max_iters=bench.rival_iters,
            max_unfinished_ratio=1 - shares[share_of] + 1e-6,
            min_change=0.0,
        )

    calls = Calls({FORWARD: bench.forward()}, once={SUPERMIX: partial(solve, SUPERMIX)})
    for name, method in METHODS.items():
        again = f'{name}, until its share'
        ours = f'{SUPERMIX}, until the share {name.removeprefix(SUPERMIX).strip()}'
        calls.once[name] = partial(until, name, SUPERMIX, method)
        calls.once[again] = partial(until, again, name, method)
        calls.once[ours] = partial(until, ours, name, 'newton')
    return calls
