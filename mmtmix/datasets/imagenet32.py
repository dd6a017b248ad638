"""ImageNet at 32x32 pixels, in the official batches."""

from __future__ import annotations

import copy
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from mmengine.dataset import force_full_init
from mmpretrain.datasets import BaseDataset
from mmpretrain.registry import DATASETS

from mmtmix.checks import check_choice, check_flag, check_path

from .array_pickles import load_array_pickle
from .preparing import own_advice

NUM_CLASSES = 1000
SIZE = 32
BATCHES = {
    'train': tuple(f'train_data_batch_{number}' for number in range(1, 11)),
    'val': ('val_data',),
}


def read_batch(path: str | os.PathLike) -> tuple[np.ndarray, np.ndarray]:
    """Read one official batch.

    Args:
        path: The file.

    Returns:
        Images, uint8 ``(N, 3072)``: the rows of the red, green and blue plane; and labels, int64
        ``(N,)`` in [0, 999], one less than in the file.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is damaged or holds something else.
    """
    content = load_array_pickle(path)
    fields = {'data', 'labels'}
    if not isinstance(content, dict) or not fields <= content.keys():
        raise ValueError(f"{path} is no batch of ImageNet32: it lacks 'data' or 'labels'.")
    data, labels = content['data'], np.asarray(content['labels'])
    is_batch = isinstance(data, np.ndarray) and data.ndim == 2 and data.dtype == np.uint8
    if not is_batch or data.shape[1] != 3 * SIZE**2:
        raise ValueError(
            f"{path}: 'data' must be uint8 of shape (N, {3 * SIZE**2}), got "
            f'{getattr(data, "dtype", type(data).__name__)} {np.shape(data)}; other sizes of '
            'downsampled ImageNet do not fit.'
        )
    if labels.shape != (len(data),) or labels.dtype.kind not in 'iu':
        raise ValueError(
            f"{path}: 'labels' must be {len(data)} integers, got {labels.dtype} {labels.shape}."
        )
    wrong = labels[(labels < 1) | (labels > NUM_CLASSES)]
    if wrong.size:
        raise ValueError(f'{path} holds the label {wrong[0]}; they are 1 to {NUM_CLASSES}.')
    return data, labels.astype(np.int64) - 1


@DATASETS.register_module()
class ImageNet32(BaseDataset):
    """`Downsampled ImageNet <https://arxiv.org/abs/1707.08819>`_, 32x32 pixels.

    1,281,167 training and 50,000 validation images, to train on without labels beside
    another set, or with them. An item is ``dict(img, gt_label, sample_idx)`` with ``img`` uint8
    ``(32, 32, 3)`` in RGB and [0, 255], so a pipeline starts without a loading transform, and
    those of CIFAR fit. The training set takes 3.9 GB of memory, shared by forked workers.

    The labels follow the set's own order of classes (``map_clsloc.txt`` of its authors), not the
    alphabetical order of MMPretrain's ``ImageNet``: a network for one is wrong on the other.

    Args:
        data_root: The folder of ``train_data_batch_1`` to ``_10`` and ``val_data``.
        split: ``'train'`` or ``'val'``. Defaults to ``'train'``.
        with_label: Whether items have a ``gt_label``. Defaults to True.
        indices: Use only the first (n > 0) or last (n < 0) so many images, or those listed.
            Defaults to None: all.
        **kwargs: Other arguments of MMPretrain's ``BaseDataset`` (``pipeline``, ``test_mode``,
            ``lazy_init``, ``metainfo``, ...); not ``ann_file``, ``data_prefix``, ``filter_cfg``
            or ``serialize_data``, which have no meaning here.

    Raises:
        FileNotFoundError: If files are missing.
        TypeError: If an argument is of another type.
        ValueError: If an argument is invalid, or a file is damaged or no plain pickle of arrays.
    """

    channel_order = 'rgb'

    data_advice = (
        "Get the 32x32 archives from https://image-net.org/download-images (ImageNet's terms "
        'apply), then: python tools/prepare_data.py imagenet32 --root {folder} '
        '--archive Imagenet32_train.zip Imagenet32_val.zip'
    )

    def __init__(
        self,
        data_root: str | os.PathLike,
        split: str = 'train',
        with_label: bool = True,
        indices: int | Sequence[int] | None = None,
        **kwargs,
    ) -> None:
        refused = {'ann_file', 'data_prefix', 'filter_cfg', 'serialize_data'}
        unused = sorted(refused & kwargs.keys())
        if unused:
            raise ValueError(
                f'ImageNet32 does not take {", ".join(unused)}; give only the folder of the '
                'batches as data_root, and a split.'
            )
        self.split = _checked_split(split)
        check_flag('with_label', with_label)
        self.with_label = with_label
        self._batches: list[np.ndarray] = []
        self._labels = self._order = np.zeros(0, dtype=np.int64)
        super().__init__(
            ann_file='', data_root=str(_resolve_root(data_root)), indices=indices, **kwargs
        )

    @classmethod
    def missing_files(
        cls, data_root: str | os.PathLike, split: str = 'train', **kwargs
    ) -> tuple[str, list[str]]:
        """Tell which files are missing, without reading any (see ``check_data``).

        Args:
            data_root: As in the constructor.
            split: As in the constructor. Only this split's files are asked for.
            **kwargs: The constructor's other arguments, unused.

        Returns:
            The absolute folder and the missing names.

        Raises:
            ValueError: If ``data_root`` or ``split`` is invalid.
        """
        root = _resolve_root(data_root)
        names = BATCHES[_checked_split(split)]
        return str(root), [name for name in names if not (root / name).is_file()]

    def full_init(self) -> None:
        """Read the batches."""
        if self._fully_initialized:
            return
        root, missing = self.missing_files(self.data_root, self.split)
        if missing:
            raise FileNotFoundError(
                f'data_root {root} lacks {", ".join(missing)} for split={self.split!r}. '
                f'{own_advice(type(self), root)}'
            )
        # The batches stay apart, and no list of items is made: either would double the memory.
        read = [read_batch(Path(root, name)) for name in BATCHES[self.split]]
        self._batches = [data for data, _ in read]
        self._labels = np.concatenate([labels for _, labels in read])
        self._ends = np.cumsum([len(data) for data in self._batches])
        self._order = np.arange(len(self._labels))
        self._fully_initialized = True
        if self._indices is not None:
            self.get_subset_(self._indices)

    @force_full_init
    def __len__(self) -> int:
        return len(self._order)

    @force_full_init
    def get_data_info(self, idx: int) -> dict:
        """Return an item before the pipeline.

        Args:
            idx: Its position, counted from the end if negative.

        Returns:
            The item as described above; its image is a copy.
        """
        position = int(self._order[idx])
        batch = int(np.searchsorted(self._ends, position, side='right'))
        start = int(self._ends[batch - 1]) if batch else 0
        planes = self._batches[batch][position - start].reshape(3, SIZE, SIZE)
        item = dict(img=planes.transpose(1, 2, 0).copy())
        if self.with_label:
            item['gt_label'] = int(self._labels[position])
        item['sample_idx'] = int(idx) + (len(self) if idx < 0 else 0)
        return item

    @force_full_init
    def get_gt_labels(self) -> np.ndarray:
        """Return the labels of all items, int64 ``(N,)``."""
        return self._labels[self._order]

    def get_cat_ids(self, idx: int) -> list[int]:
        """Return the class of an item as a list."""
        return [int(self.get_gt_labels()[idx])]

    @force_full_init
    def get_subset_(self, indices: int | Sequence[int]) -> None:
        """Keep only some items; ``indices`` as in the constructor."""
        if isinstance(indices, (int, np.integer)):
            self._order = self._order[:indices] if indices >= 0 else self._order[indices:]
        else:
            self._order = self._order[np.asarray(indices, dtype=np.int64)]

    @force_full_init
    def get_subset(self, indices: int | Sequence[int]) -> ImageNet32:
        """Return a view with only some items; ``indices`` as in the constructor."""
        subset = copy.copy(self)
        subset.get_subset_(indices)
        return subset

    def extra_repr(self) -> list[str]:
        """Describe the data set's source for ``repr``.

        Returns:
            The lines to add.
        """
        return [f'Folder: \t{self.data_root}', f'Split: \t{self.split}']


def _checked_split(split: str) -> str:
    """Return ``split``, or raise ValueError if there is none of that name."""
    check_choice('split', split, tuple(BATCHES))
    return split


def _resolve_root(data_root: str | os.PathLike) -> Path:
    """Return the absolute folder that ``data_root`` stands for."""
    check_path('data_root', data_root, cure='it is the folder of the batches')
    return Path(os.path.abspath(os.path.expanduser(data_root)))
