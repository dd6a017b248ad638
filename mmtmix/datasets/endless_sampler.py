"""A stream of samples without an end, which can begin anywhere."""

from __future__ import annotations

from collections.abc import Iterator, Sized
from itertools import islice

import torch
from mmengine.dist import get_dist_info, sync_random_seed
from mmpretrain.registry import DATA_SAMPLERS
from torch.utils.data import Sampler

from mmtmix.checks import check_flag, check_integer


@DATA_SAMPLERS.register_module()
class EndlessSampler(Sampler[int]):
    """All samples of a data set, one shuffle after the other.

    The sample at a position depends only on the seed and the position. So a resumed run continues
    where it stopped, without iterating over the earlier samples. Ranks alternate: together they
    get the samples that a single process with all of their batches would get.

    Args:
        dataset: Data set of the samples.
        shuffle: Whether each pass has an order of its own.
        seed: Seed of the orders, the same on all ranks; drawn and shared by default.
        epoch_size: Number of samples per epoch, over all ranks. Each epoch continues where the
            last one stopped, so schedules in epochs have the same steps on a set of any size.
            With ``drop_last`` give a multiple of the batch, or each epoch skips some. By default
            the stream has no end.

    Attributes:
        start: Position in the stream, over all ranks, at which iteration begins.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If the data set is empty or ``epoch_size`` is below one sample per rank.
    """

    def __init__(
        self,
        dataset: Sized,
        shuffle: bool = True,
        seed: int | None = None,
        epoch_size: int | None = None,
    ):
        check_flag('shuffle', shuffle)
        if seed is not None:
            check_integer('seed', seed, 0)
        self.size = len(dataset)
        if not self.size:
            raise ValueError(f'{type(dataset).__name__} is empty: there is nothing to draw from')
        self.shuffle = shuffle
        self.seed = sync_random_seed() if seed is None else seed
        self.rank, self.world_size = get_dist_info()
        if epoch_size is not None:
            cure = 'at least one sample per rank; None makes a stream without an end'
            check_integer('epoch_size', epoch_size, self.world_size, cure=cure)
        self.length = None if epoch_size is None else epoch_size // self.world_size
        self.start = 0

    def __len__(self) -> int:
        """Return the number of samples of a rank in an epoch.

        Raises:
            TypeError: If the stream has no end.
        """
        if self.length is None:
            raise TypeError('an EndlessSampler without epoch_size has no length')
        return self.length

    def set_epoch(self, epoch: int) -> None:
        """Begin where the last epoch stopped.

        Args:
            epoch: Number of the epoch, >= 0.
        """
        if self.length is not None:
            self.start = epoch * self.length * self.world_size

    def __iter__(self) -> Iterator[int]:
        """Yield numbers of samples, of one epoch or without end."""
        return islice(self._stream(), self.length)

    def _stream(self) -> Iterator[int]:
        position = self.start + self.rank
        passed, order = -1, []
        while True:
            if position // self.size != passed:
                passed = position // self.size
                order = self._order(passed)
            yield order[position % self.size]
            position += self.world_size

    def _order(self, number: int) -> list[int]:
        """Return the samples in the order of a pass."""
        if not self.shuffle:
            return list(range(self.size))
        # neighbouring seeds and passes must not share an order
        generator = torch.Generator().manual_seed(hash((self.seed, number)) % 2**63)
        return torch.randperm(self.size, generator=generator).tolist()
