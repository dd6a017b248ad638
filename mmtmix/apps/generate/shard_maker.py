"""Make the shards of a mixed set, one after another."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from torch.utils.data import DataLoader

from mmtmix.datasets.mixed_shards import MixedRecords, encode_image

from .draws import DrawSampler
from .mixing import LabelledMixer
from .settings import GenerationSettings

MAX_FRUITLESS = 20  # batches in a row without one image to keep

FIELDS = tuple(name for name in MixedRecords.__dataclass_fields__ if name != 'images')


@dataclass
class Statistics:
    """How many mixes were made for a shard, and what became of them.

    Attributes:
        drawn: Mixes made.
        finished: Mixes in which the teacher sees all images.
        iterations: Sum of the solver's steps over all mixes made.
        averages: Finished mixes for which a solver took no step: plain averages of their images.
    """

    drawn: int = 0
    finished: int = 0
    iterations: int = 0
    averages: int = 0

    def add(self, fields: dict[str, np.ndarray]) -> None:
        """Count a batch."""
        self.drawn += len(fields['finished'])
        self.finished += int(fields['finished'].sum())
        self.iterations += int(fields['iterations'].sum())
        # of mixers that solve for their masks
        self.averages += int(np.sum(fields.get('averages', False)))


@dataclass
class _Shard:
    """A shard in the making."""

    number: int
    images: list[Future[bytes]] = field(default_factory=list)
    batches: list[dict[str, np.ndarray]] = field(default_factory=list)
    statistics: Statistics = field(default_factory=Statistics)
    fruitless: int = 0

    def records(self, size: int) -> MixedRecords:
        """The first ``size`` images."""
        columns = {
            name: np.concatenate([batch[name] for batch in self.batches])[:size] for name in FIELDS
        }
        return MixedRecords(images=[image.result() for image in self.images[:size]], **columns)


def make_shards(
    dataset: Any,
    sampler: DrawSampler,
    mixer: LabelledMixer,
    settings: GenerationSettings,
    channel_order: str,
    num_workers: int = 0,
) -> Iterator[tuple[int, MixedRecords, Statistics]]:
    """Make shards, each from nothing but its number.

    Args:
        dataset: The clean images.
        sampler: Draws for the shards to make.
        mixer: Mixes and labels.
        settings: Sizes of the shards, and what to keep.
        channel_order: Of the data set's images.
        num_workers: Processes that read images.

    Yields:
        Number, records and statistics of each shard.

    Raises:
        RuntimeError: If batch after batch has nothing to keep.
    """
    loader = DataLoader(dataset, batch_sampler=sampler, num_workers=num_workers, collate_fn=list)
    threads = min(8, os.cpu_count() or 1)
    with ThreadPoolExecutor(threads) as encoders:  # OpenCV encodes outside of the GIL
        shard: _Shard | None = None
        for items in loader:
            draw = sampler.pending.popleft()
            if draw.shard in sampler.full:
                continue  # read ahead in vain
            if shard is None:
                shard = _Shard(draw.shard)
            fields = mixer(items, draw)
            shard.statistics.add(fields)
            kept = fields.pop('wanted') | (settings.keep == 'all')
            fields.pop('averages', None)
            shard.fruitless = 0 if kept.any() else shard.fruitless + 1
            if shard.fruitless == MAX_FRUITLESS:
                raise RuntimeError(
                    f'none of the last {MAX_FRUITLESS} batches has an image in which the teacher '
                    'sees all sources; is the teacher trained? keep="all" keeps them anyway'
                )
            fields = {name: values[kept] for name, values in fields.items()}
            shard.images += [
                encoders.submit(encode_image, image, channel_order) for image in fields['images']
            ]
            shard.batches.append(fields)
            if len(shard.images) >= settings.shards[shard.number]:
                sampler.full.add(shard.number)
                yield shard.number, shard.records(settings.shards[shard.number]), shard.statistics
                shard = None
