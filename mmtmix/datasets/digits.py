"""Handwritten digits that come with scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np
from mmpretrain.datasets import BaseDataset
from mmpretrain.registry import DATASETS

from mmtmix.checks import check_choice, check_integer

SPLITS = ('train', 'test')


@DATASETS.register_module()
class Digits(BaseDataset):
    """The 1,797 handwritten digits of ``sklearn.datasets.load_digits``, which needs no download.

    They are the test set of `UCI's optical digits
    <https://archive.ics.uci.edu/dataset/80>`_, in its order. The last ones are the test images.

    An item is ``dict(img, gt_label)`` with ``img`` uint8 ``(8, 8)`` in [0, 255] and ``gt_label``
    an int; a pipeline that starts with ``Resize`` makes them as large as a network needs.

    Args:
        split: Name of the split, ``'train'`` or ``'test'``.
        num_train: Number of training images, 1 to 1796, from the first; the rest is for the test.
        **kwargs: Other arguments of MMPretrain's ``BaseDataset`` (``pipeline``, ``metainfo``,
            ``indices``, ...).

    Raises:
        ImportError: If scikit-learn is not installed.
        TypeError: If an argument is of another type.
        ValueError: If an argument is invalid.
    """

    channel_order = 'rgb'  # images are grey, for which any order holds

    METAINFO = dict(classes=tuple(map(str, range(10))))

    def __init__(
        self,
        split: str = 'train',
        num_train: int = 1000,
        **kwargs: Any,
    ) -> None:
        check_choice('split', split, SPLITS)
        check_integer('num_train', num_train, 1, 1796)
        self.split = split
        self.num_train = num_train
        super().__init__(ann_file='', **kwargs)

    def load_data_list(self) -> list[dict]:
        """Read the images and labels of the split.

        Returns:
            One ``dict(img, gt_label)`` per image.

        Raises:
            ImportError: If scikit-learn is not installed.
        """
        try:
            from sklearn.datasets import load_digits
        except ImportError as error:
            raise ImportError(
                'the Digits data set comes with scikit-learn: pip install scikit-learn'
            ) from error
        digits = load_digits()
        images = np.rint(digits.images * (255 / 16)).astype(np.uint8)
        pairs = list(zip(images, digits.target.tolist(), strict=True))
        pairs = pairs[: self.num_train] if self.split == 'train' else pairs[self.num_train :]
        return [{'img': image, 'gt_label': label} for image, label in pairs]
