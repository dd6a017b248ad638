"""Batches whose random augmentations depend only on their position in the stream."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from copy import copy
from itertools import count, islice
from typing import Any

import numpy as np
import torch
from mmengine.dataset import DefaultSampler, InfiniteSampler
from mmengine.dist import get_rank, get_world_size
from torch.utils.data import BatchSampler, DataLoader, Dataset, IterableDataset

from mmtmix.datasets import EndlessSampler

# numbers of the streams of a run, which its steps' seeds don't have
TRAINING, MIXED = 1, 2


def seed_from(entropy: Sequence[int]) -> int:
    """Return a 32-bit seed for several integers.

    Args:
        entropy: Integers, >= 0.
    """
    return int(np.random.SeedSequence(entropy).generate_state(1)[0])


def is_seedable(loader: Any) -> bool:
    """Return whether :func:`seeded_batches` accepts a loader: it loads batches by indices.

    Args:
        loader: Any loader.
    """
    return (
        isinstance(loader, DataLoader)
        and loader.batch_sampler is not None
        and not isinstance(loader.dataset, IterableDataset)
    )


def seeded_batches(loader: DataLoader, start: int, seed: int, stream: int) -> Iterator[Any]:
    """Return the endless stream of a loader's batches from a position on.

    The batch at a position is the same wherever the stream begins. That covers its samples and the
    draws of its transforms, with any number of workers. Batches before the position are not
    loaded. At its end a data set begins again, with the next epoch of its sampler. Workers are
    started once, and stop when the stream is no longer referenced. Loading keeps the random state
    of this process.

    Args:
        loader: Loader that :func:`is_seedable` accepts. Its own iterator is not used.
        start: Position of the first batch, >= 0, counted per rank.
        seed: Seed of the run, >= 0.
        stream: Number of the stream within the run, > 0.

    Returns:
        The iterator.
    """
    workers = loader.num_workers
    options: dict[str, Any] = {}
    if workers:
        options['prefetch_factor'] = loader.prefetch_factor
    numbered = DataLoader(
        _SeededSamples(loader.dataset, (seed, get_rank(), stream)),
        batch_sampler=_NumberedBatches(loader, start),
        num_workers=workers,
        collate_fn=loader.collate_fn,
        pin_memory=loader.pin_memory,
        timeout=loader.timeout,
        worker_init_fn=loader.worker_init_fn,
        multiprocessing_context=loader.multiprocessing_context,
        generator=torch.Generator().manual_seed(seed),  # the global one stays as it is
        **options,
    )
    return iter(numbered)


class _NumberedBatches:
    """The indices of a loader's batches, each list led by the batch's position.

    Args:
        loader: The loader.
        start: Position of the first batch.
    """

    def __init__(self, loader: DataLoader, start: int):
        self.loader = loader
        self.start = start

    def __iter__(self) -> Iterator[list]:
        batches = _batches_from(self.loader, self.start)
        for number, batch in enumerate(batches, self.start):
            yield [number, *batch]


class _SeededSamples(Dataset):
    """A data set that seeds Python, numpy and torch before it loads a numbered batch.

    Args:
        dataset: Data set of the samples.
        entropy: Integers on which seeds depend, beside the batch's position.
    """

    def __init__(self, dataset: Any, entropy: Sequence[int]):
        self.dataset = dataset
        self.entropy = entropy

    def __getitems__(self, numbered: list) -> list:
        number, *indices = numbered
        kept = random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002
        seed = seed_from((number, *self.entropy))
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002  (what MMPretrain draws from)
        torch.default_generator.manual_seed(seed)
        try:
            if hasattr(self.dataset, '__getitems__'):
                return self.dataset.__getitems__(indices)
            return [self.dataset[index] for index in indices]
        finally:
            random.setstate(kept[0])
            np.random.set_state(kept[1])  # noqa: NPY002
            torch.set_rng_state(kept[2])


def _batches_from(loader: DataLoader, start: int) -> Iterator[list]:
    """Yield the indices of batches from a position on, over all passes, without loading any."""
    batch_sampler: Any = loader.batch_sampler
    sampler: Any = getattr(batch_sampler, 'sampler', None)
    if type(batch_sampler) is BatchSampler:
        size = batch_sampler.batch_size
        # these samplers continue where they are, so a new one is needed
        if type(sampler) is InfiniteSampler:
            anew = InfiniteSampler(sampler.dataset, sampler.shuffle, sampler.seed)
            return iter(BatchSampler(islice(anew, start * size, None), size, drop_last=True))
        if type(sampler) is EndlessSampler and sampler.length is None:
            anew = copy(sampler)
            anew.start = start * size * get_world_size()
            return iter(BatchSampler(anew, size, drop_last=True))
        if type(sampler) in (DefaultSampler, EndlessSampler):
            return _passes(loader, *divmod(start, len(batch_sampler) or 1))
    return islice(_passes(loader, 0, 0), start, None)


def _passes(loader: DataLoader, first: int, skipped: int) -> Iterator[list]:
    """Yield the batches of all passes from one on, without the first ones of that pass.

    Raises:
        ValueError: If a pass has no batch.
    """
    batch_sampler: Any = loader.batch_sampler
    for number in count(first):
        samplers: list[Any] = [loader.sampler, getattr(batch_sampler, 'sampler', None)]
        for sampler in samplers:
            if hasattr(sampler, 'set_epoch'):
                sampler.set_epoch(number)
        is_empty = True
        for batch in islice(batch_sampler, skipped, None):
            is_empty = False
            yield batch
        if is_empty and not skipped:
            raise ValueError(
                f'the data loader of {type(loader.dataset).__name__} has no batch: its sampler '
                'yields too few images; give more images, a smaller '
                'batch_size or drop_last=False'
            )
        skipped = 0
