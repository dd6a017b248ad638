"""ImageNet at 32x32 pixels, in the official batches."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from mmpretrain.registry import DATASETS

from mmtmix.checks import check_flag

from .advice import prepare_command
from .lazy_dataset import Indices, LazyDataset
from .sources import read_batch
from .sources.array_pickles import BATCH_SIDE
from .sources.table import IMAGENET32


@DATASETS.register_module()
class ImageNet32(LazyDataset):
    """`Downsampled ImageNet <https://arxiv.org/abs/1707.08819>`_, 32x32 pixels.

    It has 1,281,167 training and 50,000 validation images. They serve with their labels, or
    without them beside another set. An item is ``dict(img, gt_label, sample_idx)`` with ``img``
    uint8 ``(32, 32, 3)`` in RGB and [0, 255]. So a pipeline starts without a loading transform,
    and CIFAR's pipelines fit. The training set takes 3.9 GB of memory, shared by forked workers.

    The labels follow the set's own order of classes (``map_clsloc.txt`` of its authors), not the
    alphabetical order of MMPretrain's ``ImageNet``: a network for one is wrong on the other.

    Args:
        data_root: Folder of ``train_data_batch_1`` to ``_10`` and ``val_data``.
        split: Name of the split, ``'train'`` or ``'val'``. Defaults to ``'train'``.
        with_label: Whether items have a ``gt_label``. Defaults to True.
        indices: Number of images to use, the first ones (> 0) or the last ones (< 0), or a list
            of their numbers. Defaults to None: all.
        **kwargs: Other arguments of MMPretrain's ``BaseDataset`` (``pipeline``, ``test_mode``,
            ``lazy_init``, ``metainfo``, ...); not ``ann_file``, ``data_prefix``, ``filter_cfg``
            or ``serialize_data``, which have no meaning here.

    Raises:
        FileNotFoundError: If files are missing.
        TypeError: If an argument is of another type.
        ValueError: If an argument is invalid, or a file is damaged or no plain pickle of arrays.
    """

    channel_order = 'rgb'

    source = IMAGENET32
    root_cure = 'it is the folder of the batches'
    data_advice = (
        f"Get the 32x32 archives from {IMAGENET32.page} (ImageNet's terms apply), then: "
        f'{prepare_command(IMAGENET32, "{folder}")} '
        f'--archive {" ".join(file.name for file in IMAGENET32.sources)}'
    )

    def __init__(
        self,
        data_root: str | os.PathLike,
        split: str = 'train',
        with_label: bool = True,
        indices: Indices | None = None,
        **kwargs: Any,
    ) -> None:
        check_flag('with_label', with_label)
        self.with_label = with_label
        self._batches: list[np.ndarray] = []
        self._labels = self._ends = np.zeros(0, dtype=np.int64)
        super().__init__(data_root, split, indices=indices, **kwargs)

    def open_files(self) -> int:
        """Read the batches and return the number of images."""
        root = self.require_files()
        # The batches stay apart: to join them would need twice the memory for a while.
        names = [item.pattern for item in IMAGENET32.splits[self.split or '']]
        read = [read_batch(root / name) for name in names]
        self._batches = [data for data, _ in read]
        self._labels = np.concatenate([labels for _, labels in read])
        self._ends = np.cumsum([len(data) for data in self._batches])
        return len(self._labels)

    def read_item(self, position: int) -> dict:
        """Make the item at a position; its image is a copy.

        Args:
            position: Number of the image, 0 to the number of images - 1.
        """
        batch = int(np.searchsorted(self._ends, position, side='right'))
        start = int(self._ends[batch - 1]) if batch else 0
        planes = self._batches[batch][position - start].reshape(3, BATCH_SIDE, BATCH_SIDE)
        item: dict = dict(img=planes.transpose(1, 2, 0).copy())
        if self.with_label:
            item['gt_label'] = int(self._labels[position])
        return item

    def all_labels(self) -> np.ndarray:
        """Return the labels of all images, int64 ``(N,)`` in [0, 999]."""
        return self._labels
