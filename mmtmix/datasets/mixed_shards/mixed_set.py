"""A complete set as one long list of records, whose shards are mapped to memory when needed."""

from __future__ import annotations

import errno
import os
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator
from itertools import accumulate, pairwise
from pathlib import Path

import numpy as np

from mmtmix.checks import check_integer, check_path

from .files import ADVICE, open_shard, read_dataset_file, shard_files, shard_name
from .reader import ShardReader

Group = tuple[ShardReader, np.ndarray, np.ndarray]


_MAPPINGS = 65_530  # Linux's default
_SHARE = 4  # of the mappings, so that several sets and the libraries have room beside each other


class MixedSet:
    """The records of all shards of a set, numbered consecutively; none is kept in memory.

    Pickled copies, as in data loader workers, and deep copies open the shards anew.

    Args:
        folder: Folder of the set.
        max_open: Largest number of shards that are mapped to memory at the same time, >= 1 and at
            most :func:`most_mappings`. A mapping takes no file descriptor and no memory of its
            own. Fewer shards than the set has make random reads ten times as slow. Defaults to
            None: all, up to a quarter of the mappings.

    Raises:
        FileNotFoundError: If the set is not complete.
        TypeError: If an argument is of another type.
        ValueError: If ``dataset.json`` is damaged, or ``max_open`` out of its range.
    """

    def __init__(self, folder: str | os.PathLike, max_open: int | None = None) -> None:
        check_path('folder', folder)
        if max_open is not None:
            cure = 'the system allows a process that many mappings (sysctl vm.max_map_count)'
            check_integer('max_open', max_open, 1, most_mappings(), cure=cure)
        self.folder = os.path.abspath(folder)
        self.described = read_dataset_file(folder)
        self.max_open = max_open or max(1, most_mappings() // _SHARE)
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
        """Return an open shard; beyond ``max_open`` those unused for longest are closed."""
        reader = self._open.get(number)
        if reader is not None:
            self._open.move_to_end(number)
            return reader
        # hashed once per process, since images drawn at random return to a shard often
        check = number not in self._checked
        while True:
            try:
                reader = open_shard(self.folder, self.described, number, check)
                break
            except OSError as error:
                if error.errno != errno.ENOMEM or not self._open:
                    raise
                # other sets and libraries of this process have mappings, too
                self._close(len(self._open) // 2)
        self._checked.add(number)
        self._open[number] = reader
        self._close(self.max_open)
        return reader

    def _close(self, left: int) -> None:
        """Close the shards that were unused for longest, until so many are left."""
        while len(self._open) > left:
            self._open.popitem(last=False)


def most_mappings() -> int:
    """Return the number of mappings that the system allows a process, off Linux its default."""
    try:
        return int(Path('/proc/sys/vm/max_map_count').read_text())
    except (OSError, ValueError):
        return _MAPPINGS


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
