"""Draws of a generated set, each from the seed and the batch's place alone."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor

from mmtmix.checks import check_integer, check_number
from mmtmix.functional import draw_weights
from mmtmix.models import Draw

_MAX_REDRAWS = 1000


@dataclass(frozen=True)
class ShardDraw:
    """A batch of n mixes to make.

    Attributes:
        shard: Number of the shard that the mixes belong to.
        sources: Positions of the images in the data set, int64 (n, k), each row without
            repeats.
        flips: Whether each image is flipped, bool (n, k).
        draw: Draw of the n mixes among the n * k images, which are in row order.
    """

    shard: int
    sources: Tensor
    flips: Tensor
    draw: Draw


def batch_generator(seed: int, shard: int, batch: int) -> torch.Generator:
    """Return a generator that depends on the seed, the shard and the batch alone.

    Args:
        seed: Seed of the set, >= 0.
        shard: Number of the shard, >= 0.
        batch: Number of the batch in it, >= 0.
    """
    digest = hashlib.sha256(f'{seed}/{shard}/{batch}'.encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], 'little') >> 1)


def draw_sources(
    num: int,
    num_mix: int,
    num_images: int,
    generator: torch.Generator,
    labels: Tensor | None = None,
) -> Tensor:
    """Draw random sets of images.

    Args:
        num: Number of sets n, >= 1.
        num_mix: Number of images per set k, >= 1.
        num_images: Number of images in the data set.
        generator: Source of randomness.
        labels: Class of each image, int64 (num_images,), for sets of different classes; None
            allows any.

    Returns:
        Positions of the images, int64 (n, k). Each row is uniform over the sets of k different
        images.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If there are too few images or classes.
    """
    check_integer('num', num, 1)
    check_integer('num_mix', num_mix, 1)
    if num_images < num_mix:
        raise ValueError(f'num_mix={num_mix}, but the data set has only {num_images} images')
    sources = torch.randint(num_images, (num, num_mix), generator=generator)
    for _ in range(_MAX_REDRAWS):
        identity = sources if labels is None else labels[sources]
        ordered = identity.sort(dim=1).values
        repeats = (ordered[:, 1:] == ordered[:, :-1]).any(dim=1).nonzero().squeeze(1)
        if not len(repeats):
            return sources
        fresh = torch.randint(num_images, (len(repeats), num_mix), generator=generator)
        sources[repeats] = fresh
    raise ValueError(
        f'num_mix={num_mix}, but no set of images of as many classes was drawn in '
        f'{_MAX_REDRAWS} tries; the data set has fewer classes, or nearly all of one'
    )


@dataclass
class DrawSampler:
    """Yield the images of the draws of shards, as a data loader's batch sampler.

    It yields batches of a shard until :meth:`finish_shard` is called. Loader workers read ahead.
    So the consumer calls :meth:`take` for the draw of each batch that the loader returns, which
    leaves out those of earlier shards. The same shard may come again, if another process took it
    over and died.

    Attributes:
        shards: Numbers of the shards. The next one is taken when the present one is full.
        make_draw: Function that makes a draw from the numbers of shard and batch.
        pending: Draws whose images were yielded, oldest first, with the place of their shard in
            the order of ``shards``.
    """

    shards: Iterable[int]
    make_draw: Callable[[int, int], ShardDraw]
    pending: deque[tuple[int, ShardDraw]] = field(default_factory=deque)
    _full: int = 0

    def __iter__(self) -> Iterator[list[int]]:
        for place, shard in enumerate(self.shards):
            batch = 0
            while place >= self._full:
                draw = self.make_draw(shard, batch)
                self.pending.append((place, draw))
                yield draw.sources.flatten().tolist()
                batch += 1

    def take(self) -> ShardDraw | None:
        """Return the draw of the oldest pending batch; None if its shard is full already."""
        place, draw = self.pending.popleft()
        return draw if place >= self._full else None

    def finish_shard(self) -> None:
        """Yield no more batches of the shard whose draws were taken last."""
        self._full += 1


def draw_batch(
    place: tuple[int, int],
    seed: int,
    size: tuple[int, int],
    num_images: int,
    alpha: float,
    flip_prob: float,
    labels: Tensor | None = None,
) -> ShardDraw:
    """Draw the images, flips and weights of a batch.

    Args:
        place: Numbers of the shard and of the batch in it, both from 0.
        seed: Seed of the set, >= 0.
        size: Numbers of mixes n and of images per mix k.
        num_images: Number of images in the data set.
        alpha: Parameter of the Dirichlet distribution of the weights, > 0.
        flip_prob: Probability that an image is flipped, in [0, 1].
        labels: Class of each image, as for :func:`draw_sources`.

    Returns:
        The draw, which is the same for the same arguments.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range.
    """
    check_integer('seed', seed, 0)
    check_number('flip_prob', flip_prob, 0, 1)
    generator = batch_generator(seed, *place)
    sources = draw_sources(*size, num_images, generator, labels)
    weights = draw_weights(*size, alpha, generator)
    flips = torch.rand(size, generator=generator) < flip_prob
    index = torch.arange(sources.numel()).view(sources.shape)
    return ShardDraw(place[0], sources, flips, Draw(weights, index, generator))
