"""Randomness that depends only on the epoch or step, whatever ran before."""

from __future__ import annotations

import logging
import random
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.runner import IterBasedTrainLoop
from mmpretrain.registry import HOOKS

from mmtmix.engine.runner_privates import drop_iterator
from mmtmix.engine.seeded_batches import TRAINING, is_seedable, seed_from, seeded_batches


@HOOKS.register_module()
class EpochSeedHook(Hook):
    """Makes a resumed run end with the weights of an unbroken one.

    MMEngine saves no random state, so a resumed run would draw other crops and mixes. A run may
    also be made longer on a resume. It then differs from a run of that length where a schedule
    depends on the length, as the momentum of ``AutoMixHook`` does.

    In training by epochs, Python, NumPy and torch are seeded from (seed, epoch, rank) before
    every epoch. Data loader workers need ``persistent_workers=False`` and
    ``worker_init_fn=dict(type='seed_worker')`` for the same.

    In training by iterations (``IterBasedTrainLoop``), they are seeded from (seed, iteration,
    rank) before every step. Transforms draw by the batch's position in the stream alone, with any
    number and any settings of workers. Batches and their order are those of MMEngine. A resumed
    run computes the indices of skipped batches and loads none of their images, even where
    MMEngine itself would load them.
    """

    priority = 'HIGH'  # before hooks that draw, or that start workers, as DistillHook does

    def before_train(self, runner: Any) -> None:
        """Replace the batches of an iteration-based loop by a stream that can begin anywhere."""
        loop = runner.train_loop
        if not isinstance(loop, IterBasedTrainLoop):
            return
        if not is_seedable(loop.dataloader):
            print_log(
                f'EpochSeedHook cannot seed the batches of {type(loop.dataloader).__name__} with '
                f'{type(loop.dataloader.dataset).__name__}, which are not chosen by indices: a '
                'resumed run will differ from an unbroken one',
                logger='current',
                level=logging.WARNING,
            )
            return
        host = loop.dataloader_iterator
        drop_iterator(loop.dataloader)
        stream = seeded_batches(loop.dataloader, loop.iter, runner.seed, TRAINING)
        loop.dataloader_iterator = _Positioned(
            stream, 0 if hasattr(host, 'skip_iter') else loop.iter
        )

    def before_train_epoch(self, runner: Any) -> None:
        """Seed everything."""
        _seed([runner.seed, runner.epoch, get_rank()])

    def before_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None) -> None:
        """Seed everything in a run by iterations, whose only epoch has no end."""
        if isinstance(runner.train_loop, IterBasedTrainLoop):
            _seed([runner.seed, runner.iter, get_rank()])


class _Positioned:
    """A stream that begins at the run's iteration, for a loop that expects the whole stream.

    Args:
        stream: Batches from the run's iteration on.
        skipped: Number of batches that the loop takes and drops before the first step.
    """

    def __init__(self, stream: Iterator, skipped: int):
        self.stream = stream
        self.skipped = skipped

    def __iter__(self) -> _Positioned:
        return self

    def __next__(self) -> Any:
        if self.skipped:
            self.skipped -= 1
            return None
        return next(self.stream)

    def skip_iter(self, num_iters: int) -> None:
        """Do nothing: the stream begins behind them."""


def _seed(entropy: Sequence[int]) -> None:
    seed = seed_from(entropy)
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002  (what MMPretrain draws from)
    torch.manual_seed(seed)
