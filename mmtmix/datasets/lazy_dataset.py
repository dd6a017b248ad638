"""The base of data sets that make an item when it is indexed."""

from __future__ import annotations

import copy
import os
from abc import ABCMeta, abstractmethod
from collections.abc import Sequence
from functools import cache
from typing import Any, ClassVar

import numpy as np
from mmengine.dataset import force_full_init

from .local_dataset import LocalDataset

Indices = int | Sequence[int]


class LazyDataset(LocalDataset, metaclass=ABCMeta):
    """A local data set that makes each item when it is indexed, and keeps no list of items.

    A list of a million items would double the memory. A subclass opens its files in
    :meth:`open_files` and makes items in :meth:`read_item`. If many items are faster to make at
    once, it also has :meth:`read_items`, which data loaders then use.

    Args:
        data_root: Folder of the files, as for :class:`LocalDataset`.
        split: Name of the split, as for :class:`LocalDataset`.
        **kwargs: Other arguments of MMPretrain's ``BaseDataset``.
    """

    refused: ClassVar[tuple[str, ...]] = (
        'ann_file',
        'data_prefix',
        'filter_cfg',
        'serialize_data',
    )

    def __init__(
        self, data_root: str | os.PathLike | None, split: str | None = None, **kwargs: Any
    ) -> None:
        # positions of the items; a subset costs 8 bytes per image, the whole set nothing
        self._order: range | np.ndarray = range(0)
        super().__init__(data_root, split, **kwargs)

    @abstractmethod
    def open_files(self) -> int:
        """Open the files and return the number of items."""

    @abstractmethod
    def read_item(self, position: int) -> dict:
        """Make the item at a position among all, without ``sample_idx``.

        Args:
            position: Number of the item, 0 to the number of items - 1.
        """

    def read_items(self, positions: np.ndarray) -> list[dict]:
        """Make the items at several positions, as :meth:`read_item` makes each.

        Args:
            positions: Numbers of the items, int64 ``(N,)``.
        """
        return [self.read_item(position) for position in positions.tolist()]

    @abstractmethod
    def all_labels(self) -> np.ndarray:
        """Return the labels of all items, int64 ``(N,)``, whatever the subset."""

    _fully_initialized: bool  # of MMEngine's base

    def full_init(self) -> None:
        """Open the files, once."""
        if self._fully_initialized:
            return
        self._order = range(self.open_files())
        if self._indices is not None:
            self._order = _chosen(self._order, self._indices)
        self._fully_initialized = True

    @force_full_init
    def __len__(self) -> int:
        return len(self._order)

    @force_full_init
    def get_data_info(self, idx: int) -> dict:
        """Return an item before the pipeline.

        Args:
            idx: Number of the item, counted from the end if negative.

        Returns:
            The item, with ``sample_idx``.

        Raises:
            IndexError: If there is no such item.
        """
        item = self.read_item(int(self._order[idx]))
        item['sample_idx'] = int(idx) + (len(self) if idx < 0 else 0)
        return item

    def __getitems__(self, indices: Sequence[int]) -> list[Any]:
        """Return several items after the pipeline, as indexing returns each.

        A data loader calls it with the indices of a batch, see
        ``torch.utils.data._utils.fetch``. The pipeline gets one item after the other, so its
        random draws are those of single items.

        Args:
            indices: Numbers of the items, counted from the end if negative.

        Raises:
            IndexError: If there is no such item.
        """
        if not self._fully_initialized or not _reads_in_batches(type(self)):
            return [self[index] for index in indices]
        length = len(self._order)
        wanted = np.asarray(indices, dtype=np.int64)
        if wanted.size and not -length <= wanted.min() <= wanted.max() < length:
            raise IndexError(f'indices must be in [{-length}, {length}), got {indices!r:.200}')
        found = []
        numbers = (wanted % max(length, 1)).tolist()
        for index, item in zip(numbers, self.read_items(_at(self._order, wanted)), strict=True):
            item['sample_idx'] = index
            data = self.pipeline(item)
            if data is None:  # refused in tests, and replaced by another item in training
                data = self[index if self.test_mode else self._rand_another()]
            found.append(data)
        return found

    @force_full_init
    def get_gt_labels(self) -> np.ndarray:
        """Return the labels of the items, int64 ``(N,)``."""
        return self.all_labels()[np.asarray(self._order, dtype=np.int64)]

    def get_cat_ids(self, idx: int) -> list[int]:
        """Return the class of an item as a list.

        Args:
            idx: Number of the item.
        """
        return [int(self.get_gt_labels()[idx])]

    @force_full_init
    def get_subset_(self, indices: Indices) -> None:
        """Keep only some items.

        Args:
            indices: Indices of the items, or a number of items: the first ones if positive, the
                last ones if negative.
        """
        self._order = _chosen(self._order, indices)

    @force_full_init
    def get_subset(self, indices: Indices) -> LazyDataset:
        """Return a view of some items, which shares what has been read.

        Args:
            indices: Indices of the items, or a number of items: the first ones if positive, the
                last ones if negative.
        """
        subset = copy.copy(self)
        subset.get_subset_(indices)
        return subset


@cache
def _reads_in_batches(kind: type) -> bool:
    """Return whether ``read_items`` of a class stands for all that makes a single item.

    A subclass that overrides how a single item is made, and not ``read_items``, gets single items.
    """
    classes = kind.__mro__

    def place(name: str) -> int:
        return next(i for i, each in enumerate(classes) if name in vars(each))

    singles = ('__getitem__', 'prepare_data', 'get_data_info', 'read_item')
    return all(place(name) >= place('read_items') for name in singles)


def _chosen(order: range | np.ndarray, indices: Indices) -> range | np.ndarray:
    """Return the positions at ``indices``: so many of the first or the last, or listed ones."""
    if isinstance(indices, (int, np.integer)):
        return order[:indices] if indices >= 0 else order[indices:]
    wanted = np.asarray(indices)
    if wanted.ndim != 1 or (wanted.size and wanted.dtype.kind not in 'iu'):
        raise ValueError(
            f'indices must be an integer or a sequence of integers, got {indices!r:.200}.'
        )
    outside = wanted[(wanted < -len(order)) | (wanted >= len(order))] if wanted.size else wanted
    if outside.size:
        raise ValueError(f'indices hold {outside[0]}, but the set has {len(order)} images.')
    return _at(order, wanted.astype(np.int64))


def _at(order: range | np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return the positions at valid indices, without an array of a whole range."""
    if isinstance(order, range):
        return order.start + order.step * (wanted % max(len(order), 1))
    return order[wanted]
