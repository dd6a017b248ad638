"""What is drawn for each batch of mixes, from nothing but the seed and the batch's place."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from mmtmix.checks import check_integer, check_number
from mmtmix.functional import draw_weights

_MAX_REDRAWS = 1000


@dataclass(frozen=True)
class Draw:
    """A batch of n mixes to make.

    Attributes:
        shard: Number of the shard that it belongs to.
        sources: Which images are mixed, int64 (n, k), no image twice in a row.
        flips: Which of them are flipped, bool (n, k).
        weights: Their shares, (n, k).
        generator: For what the mixer draws.
    """

    shard: int
    sources: Tensor
    flips: Tensor
    weights: Tensor
    generator: torch.Generator


def batch_generator(seed: int, shard: int, batch: int) -> torch.Generator:
    """A generator of its own for each batch of each shard."""
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
        num: Number of sets n.
        num_mix: Images a set, k.
        num_images: Images in the data set.
        generator: Source of randomness.
        labels: Class of each image, int64 (num_images,), where sets of different classes are
            wanted.

    Returns:
        int64 (n, k); each row uniformly from the sets of k different images.

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
    """The draws of a list of shards as a batch sampler for a data loader.

    It goes on with a shard until it is told that the shard is full. Loader workers read ahead,
    so the consumer takes the draws from :attr:`pending`, in the loader's order, and leaves out
    those whose shard is full.

    Attributes:
        shards: Their numbers.
        make_draw: Makes a draw from the numbers of shard and batch.
    """

    shards: Sequence[int]
    make_draw: Callable[[int, int], Draw]
    pending: deque[Draw] = field(default_factory=deque)
    full: set[int] = field(default_factory=set)

    def __iter__(self) -> Iterator[list[int]]:
        for shard in self.shards:
            batch = 0
            while shard not in self.full:
                draw = self.make_draw(shard, batch)
                self.pending.append(draw)
                yield draw.sources.flatten().tolist()
                batch += 1


def draw_batch(
    place: tuple[int, int],
    seed: int,
    size: tuple[int, int],
    num_images: int,
    alpha: float,
    flip_prob: float,
    labels: Tensor | None = None,
) -> Draw:
    """Draw everything that a batch needs.

    Args:
        place: Number of the shard, number of the batch in it.
        seed: Of the set.
        size: Mixes n and images a mix k.
        num_images: Images in the data set.
        alpha: Dirichlet parameter of the weights.
        flip_prob: Probability of a flip.
        labels: See :func:`draw_sources`.

    Returns:
        The draw; the same arguments give the same.

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
    return Draw(place[0], sources, flips, weights, generator)
