"""The bases of data sets in a folder of their own."""

from __future__ import annotations

import copy
import os
from abc import ABCMeta, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from mmengine.dataset import force_full_init
from mmpretrain.datasets import BaseDataset

from mmtmix.checks import check_choice, check_path

from .advice import own_advice
from .sources import DataSet, missing_contents

Indices = int | Sequence[int]


class LocalDataset(BaseDataset):
    """A data set whose files are checked by name before any is read.

    A subclass sets the class attributes and reads the files, in ``load_data_list``, after
    :meth:`require_files`.

    Args:
        data_root: Folder of the files.
        split: Name of the split, one of ``splits``; None where there are none.
        **kwargs: Other arguments of MMPretrain's ``BaseDataset``.

    Attributes:
        source: Entry of the table of data sets; None where there is no published set.
        splits: Names of the splits, the default first; by default those of ``source``.
        refused: Arguments of ``BaseDataset`` that have no meaning here.
        refusal_cure: Advice for the error about them.
        root_cure: Meaning of ``data_root``, for the error about it.
        data_advice: Advice on missing files, with ``{folder}`` for the folder.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If an argument is refused, or there is no such split.
    """

    source: ClassVar[DataSet | None] = None
    splits: ClassVar[tuple[str, ...]] = ()
    refused: ClassVar[tuple[str, ...]] = ('ann_file', 'data_prefix')
    refusal_cure: ClassVar[str] = 'give only the folder of its files as data_root, and a split'
    root_cure: ClassVar[str] = 'it is the folder of the files'
    data_advice: ClassVar[str] = ''

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if 'splits' not in vars(cls) and cls.source is not None:
            cls.splits = tuple(cls.source.splits)

    def __init__(
        self, data_root: str | os.PathLike | None, split: str | None = None, **kwargs: Any
    ) -> None:
        name = type(self).__name__
        unused = sorted(set(self.refused) & kwargs.keys())
        if unused:
            raise ValueError(f'{name} does not take {", ".join(unused)}; {self.refusal_cure}.')
        if split is not None or self.splits:
            self.check_split(split)
        self.split = split
        super().__init__(ann_file='', data_root=str(self.find_root(data_root)), **kwargs)

    @classmethod
    def check_split(cls, split: str | None) -> None:
        """Refuse a split that does not exist.

        Args:
            split: Name of the split.

        Raises:
            ValueError: If there is no split of that name.
        """
        check_choice('split', split, cls.splits)

    @classmethod
    def find_root(cls, data_root: str | os.PathLike | None) -> Path:
        """Return the absolute folder that ``data_root`` stands for.

        Args:
            data_root: Folder of the files, as in the constructor.

        Raises:
            TypeError: If it is no path.
            ValueError: If it is empty.
        """
        check_path('data_root', data_root, cure=cls.root_cure)
        return Path(os.path.abspath(os.path.expanduser(str(data_root))))

    @classmethod
    def missing_files(
        cls, data_root: str | os.PathLike | None = None, split: str | None = None, **kwargs: Any
    ) -> tuple[str, list[str]]:
        """Return which files are missing, without reading an image; see ``check_data``.

        Args:
            data_root: Folder of the files, as in the constructor.
            split: Name of the split, as in the constructor; the default one if None. Only its
                files are required.
            **kwargs: Other arguments of the constructor, unused.

        Returns:
            The absolute folder and the missing names.

        Raises:
            TypeError: If an argument is of another type.
            ValueError: If an argument is invalid.
        """
        root = cls.find_root(data_root)
        split = cls.splits[0] if split is None else split
        cls.check_split(split)
        contents = () if cls.source is None else cls.source.splits[split]
        return str(root), missing_contents(contents, root)

    def require_files(self, **kwargs: Any) -> Path:
        """Return the folder if its files are there.

        Args:
            **kwargs: Arguments of :meth:`missing_files` beside ``data_root`` and ``split``.

        Raises:
            FileNotFoundError: If files are missing.
        """
        root, missing = self.missing_files(self.data_root, self.split, **kwargs)
        if missing:
            raise FileNotFoundError(
                f'data_root {root} lacks {", ".join(missing)} for split={self.split!r}. '
                f'{own_advice(type(self), root)}'
            )
        return Path(root)

    def extra_repr(self) -> list[str]:
        """Return lines about the folder and the split for ``repr``."""
        lines = [f'Folder: \t{self.data_root}']
        return lines if self.split is None else [*lines, f'Split: \t{self.split}']


class LazyDataset(LocalDataset, metaclass=ABCMeta):
    """A local data set that makes each item when it is indexed, and keeps no list of items.

    A list of a million items would double the memory. A subclass opens its files in
    :meth:`open_files` and makes items in :meth:`read_item`.

    Args:
        data_root: Folder of the files, as for :class:`LocalDataset`.
        split: Name of the split, as for :class:`LocalDataset`.
        **kwargs: Other arguments of MMPretrain's ``BaseDataset``.
    """

    refused = ('ann_file', 'data_prefix', 'filter_cfg', 'serialize_data')

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
    return np.asarray(order, dtype=np.int64)[wanted.astype(np.int64)]
