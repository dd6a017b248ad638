"""A complete set as one long list of records, with few shards open at a time."""

from __future__ import annotations

import os
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator
from itertools import accumulate, pairwise

import numpy as np

from mmtmix.checks import check_integer, check_path

from .files import ADVICE, open_shard, read_dataset_file, shard_files, shard_name
from .reader import ShardReader

Group = tuple[ShardReader, np.ndarray, np.ndarray]


MAX_OPEN = 16_384
"""Largest number of shards that a set maps by default; Linux allows a process 65,530 mappings."""


class MixedSet:
    """The records of all shards of a set, numbered consecutively; none is kept in memory.

    Pickled copies, as in data loader workers, and deep copies open the shards anew.

    Args:
        folder: Folder of the set.
        max_open: Largest number of shards that are mapped to memory at the same time, >= 1. A
            mapping takes no file descriptor and no memory of its own. Defaults to None: all, up
            to 16,384.

    Raises:
        FileNotFoundError: If the set is not complete.
        TypeError: If an argument is of another type.
        ValueError: If ``dataset.json`` is damaged.
    """

    def __init__(self, folder: str | os.PathLike, max_open: int | None = None) -> None:
        check_path('folder', folder)
        if max_open is not None:
            check_integer('max_open', max_open, 1)
        self.folder = os.path.abspath(folder)
        self.described = read_dataset_file(folder)
        self.max_open = max_open or MAX_OPEN
        missing = missing_shards(folder, self.described)
        if missing:
            raise FileNotFoundError(f'{self.folder} lacks {", ".join(missing)}. {ADVICE}')
        self._starts = list(accumulate(self.described['shards'], initial=0))
        self._open: OrderedDict[int, ShardReader] = OrderedDict()
        self._checked: set[int] = set()

    def __getstate__(self) -> dict:
        """Leave out the open shards, which belong to this process."""
        return dict(self.__dict__, _open=OrderedDict(), _checked=set())

    def __len__(self) -> int:
        return self.described['num']

    def locate(self, position: int) -> tuple[ShardReader, int]:
        """Find a record.

        Args:
            position: Position in the set, in [0, len(self)).

        Returns:
            The shard, and the position in it.

        Raises:
            FileNotFoundError: If the shard has vanished.
            IndexError: If there is no such record.
            ValueError: If the shard is damaged or not from this set.
        """
        if not 0 <= position < len(self):
            raise IndexError(f'position must be in [0, {len(self)}), got {position}.')
        number = bisect_right(self._starts, position) - 1
        return self._shard(number), position - self._starts[number]

    def groups(self, positions: np.ndarray) -> Iterator[Group]:
        """Find many records, shard by shard.

        Args:
            positions: Positions in the set, int64 ``(N,)`` in [0, len(self)).

        Yields:
            A shard, the positions in it, and the places of these records in ``positions``. The
            last two are int64 ``(n,)``.

        Raises:
            FileNotFoundError: If a shard has vanished.
            IndexError: If there is no such record.
            ValueError: If a shard is damaged or not from this set.
        """
        outside = positions[(positions < 0) | (positions >= len(self))]
        if outside.size:
            raise IndexError(f'position must be in [0, {len(self)}), got {outside[0]}.')
        numbers = np.searchsorted(self._starts, positions, side='right') - 1
        order = np.argsort(numbers, kind='stable')
        ends = np.flatnonzero(np.diff(numbers[order], append=-1)) + 1
        for first, last in pairwise([0, *ends.tolist()]):
            places = order[first:last]
            number = int(numbers[places[0]])
            yield self._shard(number), positions[places] - self._starts[number], places

    def column(self, name: str) -> np.ndarray:
        """Read one field of all records, which is meant for small fields.

        Args:
            name: Name of a field of :class:`MixedRecords`.

        Returns:
            The values of all shards, one after another.
        """
        numbers = range(len(self.described['shards']))
        return np.concatenate([self._shard(number).column(name) for number in numbers])

    def _shard(self, number: int) -> ShardReader:
        """Return an open shard; the one that was unused for longest is closed."""
        reader = self._open.get(number)
        if reader is not None:
            self._open.move_to_end(number)
            return reader
        # hashed once per process, since images drawn at random return to a shard often
        check = number not in self._checked
        reader = open_shard(self.folder, self.described, number, check)
        self._checked.add(number)
        self._open[number] = reader
        while len(self._open) > self.max_open:
            self._open.popitem(last=False)
        return reader


def missing_shards(folder: str | os.PathLike, described: dict) -> list[str]:
    """List the shards that a set lacks.

    Args:
        folder: Folder of the set.
        described: Value of :func:`read_dataset_file`.

    Returns:
        Their names; of many, the first five and how many more.
    """
    there = set(shard_files(folder))
    names = [shard_name(number) for number in range(len(described['shards']))]
    missing = [name for name in names if name not in there]
    more = len(missing) - 5
    return [*missing[:5], f'and {more} more shards'] if more > 0 else missing
