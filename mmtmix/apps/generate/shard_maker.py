"""Make the shards of a generated set, one after another."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from torch.utils.data import DataLoader

from mmtmix.datasets.mixed_shards import RAW_BYTES, MixedRecords, encode_image, raw_images

from .mixing import LabelledAugment
from .sampling import DrawSampler
from .settings import GenerationSettings

MAX_FRUITLESS = 20  # batches in a row without an image to keep

FIELDS = tuple(name for name in MixedRecords.__dataclass_fields__ if name != 'images')


@dataclass
class Statistics:
    """Counts of the mixes that were made for a shard.

    Attributes:
        drawn: Number of mixes made.
        finished: Number of mixes whose top classes, by the teacher, are those of all their images.
        iterations: Sum of the solver's steps over all mixes made.
        averages: Number of mixes that finished without a step of the solver, as plain averages.
    """

    drawn: int = 0
    finished: int = 0
    iterations: int = 0
    averages: int = 0

    def add(self, fields: dict[str, np.ndarray]) -> None:
        """Add the counts of a batch.

        Args:
            fields: Arrays of the batch, from :class:`LabelledAugment`.
        """
        self.drawn += len(fields['finished'])
        self.finished += int(fields['finished'].sum())
        self.iterations += int(fields['iterations'].sum())
        # only augments that solve for masks have this field
        self.averages += int(np.sum(fields.get('averages', False)))


@dataclass
class _Shard:
    """A shard while it is made."""

    number: int
    pngs: list[Future[bytes]] = field(default_factory=list)
    batches: list[dict[str, np.ndarray]] = field(default_factory=list)
    statistics: Statistics = field(default_factory=Statistics)
    fruitless: int = 0

    def __len__(self) -> int:
        return sum(len(batch['images']) for batch in self.batches)

    def records(self, size: int, channel_order: str) -> MixedRecords:
        """Return the first images of the shard with their fields.

        Args:
            size: Number of images, >= 1.
            channel_order: Order of the images' colour channels, ``'rgb'`` or ``'bgr'``.
        """
        images: Any = [png.result() for png in self.pngs[:size]]
        if not images:
            pixels = np.concatenate([batch['images'] for batch in self.batches])
            images = raw_images(pixels[:size], channel_order)
        columns = {
            name: np.concatenate([batch[name] for batch in self.batches])[:size] for name in FIELDS
        }
        return MixedRecords(images=images, **columns)


def make_shards(
    dataset: Any,
    sampler: DrawSampler,
    mixer: LabelledAugment,
    settings: GenerationSettings,
    channel_order: str,
    num_workers: int = 0,
    raw_bytes: int = RAW_BYTES,
) -> Iterator[tuple[int, MixedRecords, Statistics]]:
    """Yield finished shards, each made from its number alone.

    Args:
        dataset: Data set of the clean images.
        sampler: Sampler of the draws for the shards to make.
        mixer: Function that mixes and labels the images of a draw.
        settings: Sizes of the shards, and the choice of mixes to keep.
        channel_order: Order of the colour channels of the images, ``'rgb'`` or ``'bgr'``.
        num_workers: Number of processes that read images, >= 0.
        raw_bytes: Size in bytes of the largest image that is stored as raw pixels, >= 0. Larger
            ones are stored as PNG.

    Yields:
        Number, records and statistics of each shard.

    Raises:
        RuntimeError: If 20 batches in a row have no mix to keep.
    """
    loader = DataLoader(dataset, batch_sampler=sampler, num_workers=num_workers, collate_fn=list)
    threads = min(8, os.cpu_count() or 1)
    with ThreadPoolExecutor(threads) as encoders:  # OpenCV encodes outside of the GIL
        shard: _Shard | None = None
        for items in loader:
            draw = sampler.take()
            if draw is None:
                continue  # workers read it ahead, before the shard was full
            if shard is None:
                shard = _Shard(draw.shard)
            fields = mixer(items, draw)
            shard.statistics.add(fields)
            kept = fields.pop('wanted') | (settings.keep == 'all')
            fields.pop('averages', None)
            shard.fruitless = 0 if kept.any() else shard.fruitless + 1
            if shard.fruitless == MAX_FRUITLESS:
                raise RuntimeError(
                    f'none of the last {MAX_FRUITLESS} batches has a mix in which the teacher '
                    'recognises all images; check that the teacher is trained, or set keep="all" '
                    'to keep such mixes'
                )
            fields = {name: values[kept] for name, values in fields.items()}
            if fields['images'][:1].nbytes > raw_bytes:
                shard.pngs += [
                    encoders.submit(encode_image, image, channel_order)
                    for image in fields['images']
                ]
            shard.batches.append(fields)
            size = settings.shards[shard.number]
            if len(shard) >= size:
                sampler.finish_shard()
                yield shard.number, shard.records(size, channel_order), shard.statistics
                shard = None
