"""Flowers-102 with 818 test images instead of the official 6,149."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import mat4py
import numpy as np
from mmpretrain.registry import DATASETS

from mmtmix.checks import check_choice, check_path

from .advice import prepare_command
from .local_dataset import LocalDataset
from .sources.table import FLOWERS102

NUM_IMAGES = sum(FLOWERS102.images)
NUM_CLASSES = FLOWERS102.classes
NUM_TEST = 818
SEED = 818


def divide(labels: np.ndarray) -> dict[str, np.ndarray]:
    """Divide the images of each class into 80, 10 and 10 per cent, always in the same way.

    Each class has its share of the 818 test and of the 818 validation images. Shares are rounded
    so that they sum to 818.

    Args:
        labels: Labels of all images, int ``(8189,)`` in [0, 101].

    Returns:
        Positions in ``labels``, sorted, for ``'train'`` (6,553), ``'val'`` (818), ``'test'``
        (818) and ``'trainval'`` (7,371).
    """
    counts = np.bincount(labels, minlength=NUM_CLASSES)
    shares = counts * NUM_TEST / len(labels)
    quotas = shares.astype(np.int64)
    # largest remainders first; stable, so that equal ones go by class
    order = np.argsort(-(shares - quotas), kind='stable')
    quotas[order[: NUM_TEST - quotas.sum()]] += 1
    # RandomState's stream is frozen for good, a Generator's may change between NumPy versions
    rng = np.random.RandomState(SEED)
    test, val = [], []
    for label, quota in enumerate(quotas):
        shuffled = rng.permutation(np.flatnonzero(labels == label))
        test.append(shuffled[:quota])
        val.append(shuffled[quota : 2 * quota])
    parts = {'test': np.sort(np.concatenate(test)), 'val': np.sort(np.concatenate(val))}
    parts['trainval'] = np.setdiff1d(np.arange(len(labels)), parts['test'])
    parts['train'] = np.setdiff1d(parts['trainval'], parts['val'])
    return parts


@DATASETS.register_module()
class Flowers102Split818(LocalDataset):
    """`Oxford Flowers-102 <https://www.robots.ox.ac.uk/~vgg/data/flowers/102/>`_, 818 to test on.

    TransformMix's Table 3 prints accuracies that are multiples of 1/818, while the official test
    set has 6,149 images. The paper does not name the 818. One candidate is the folder
    ``valid`` of Udacity's ``flower_data.zip`` (6,552 / 818 / 819 images). The division here is our
    own: 80, 10 and 10 per cent of each class, drawn with a fixed seed from the official labels. It
    has the paper's size alone, so accuracies compare within a few images at best. Give
    ``test_ids`` to use a list that you have. MMPretrain's ``Flowers102`` has the official
    division.

    An item is ``dict(img_path, gt_label)``; ``setid.mat`` is not needed.

    Args:
        data_root: Folder with ``jpg`` and ``imagelabels.mat``.
        split: Name of the split, ``'train'`` (6,553 images), ``'val'`` (818), ``'trainval'``
            (7,371) or ``'test'`` (818).
            Defaults to ``'trainval'``.
        test_ids: Path of a text file with the number of one test image (1 to 8189) per line. All
            other images are then ``'trainval'``, and there is no ``'train'`` or ``'val'``.
            Defaults to None.
        **kwargs: Other arguments of MMPretrain's ``BaseDataset``; not ``ann_file`` or
            ``data_prefix``, which have no meaning here.

    Raises:
        FileNotFoundError: If files are missing.
        ValueError: If an argument is invalid, or a file is damaged or not the official one.
    """

    source = FLOWERS102
    root_cure = 'it is the folder with jpg'
    data_advice = f'{prepare_command(FLOWERS102, "{folder}")} fetches what is missing.'

    def __init__(
        self,
        data_root: str | os.PathLike,
        split: str = 'trainval',
        test_ids: str | os.PathLike | None = None,
        **kwargs: Any,
    ) -> None:
        _check_list(split, test_ids)
        self.test_ids = test_ids
        kwargs.setdefault('test_mode', split == 'test')
        super().__init__(data_root, split, **kwargs)

    @classmethod
    def missing_files(
        cls,
        data_root: str | os.PathLike | None = None,
        split: str | None = None,
        test_ids: str | os.PathLike | None = None,
        **kwargs: Any,
    ) -> tuple[str, list[str]]:
        """Return which files are missing, without reading an image; see ``check_data``.

        Args:
            data_root: Folder of the files, as in the constructor.
            split: Name of the split, as in the constructor. Every split requires all images.
            test_ids: Path of the list of images, as in the constructor.
            **kwargs: Other arguments of the constructor, unused.

        Returns:
            The absolute folder and the missing names.

        Raises:
            ValueError: If an argument is invalid.
        """
        split = cls.splits[0] if split is None else split
        cls.check_split(split)
        _check_list(split, test_ids)
        root = cls.find_root(data_root)
        missing = [] if (root / 'imagelabels.mat').is_file() else ['imagelabels.mat']
        if test_ids is not None and not Path(test_ids).expanduser().is_file():
            missing.append(str(test_ids))
        there = set(os.listdir(root / 'jpg')) if (root / 'jpg').is_dir() else set()
        absent = [n for n in range(1, NUM_IMAGES + 1) if _file_name(n) not in there]
        if absent:
            others = f' and {len(absent) - 1} more' if len(absent) > 1 else ''
            missing.append(f'jpg/{_file_name(absent[0])}{others}')
        return str(root), missing

    def load_data_list(self) -> list[dict]:
        """List the images of the split.

        Returns:
            One ``dict(img_path, gt_label)`` per image, in the order of their numbers.

        Raises:
            FileNotFoundError: If files are missing.
            ValueError: If a file is damaged or not the official one.
        """
        root = self.require_files(test_ids=self.test_ids)
        labels = _read_labels(Path(root, 'imagelabels.mat'))
        if self.test_ids is None:
            chosen = divide(labels)[self.split or '']
        else:
            chosen = _read_ids(Path(self.test_ids).expanduser())
            if self.split == 'trainval':
                chosen = np.setdiff1d(np.arange(NUM_IMAGES), chosen)
        return [
            dict(img_path=str(Path(root, 'jpg', _file_name(i + 1))), gt_label=int(labels[i]))
            for i in chosen
        ]


def _file_name(number: int) -> str:
    return f'image_{number:05d}.jpg'


def _read_labels(path: Path) -> np.ndarray:
    """Read the labels of all images, from 0."""
    try:
        labels = np.asarray(mat4py.loadmat(str(path))['labels']).reshape(-1)
    except Exception as error:  # a damaged file can raise nearly anything
        raise ValueError(f'{path} holds no labels ({error!r}); fetch it again.') from error
    wrong = labels[(labels < 1) | (labels > NUM_CLASSES)]
    if len(labels) != NUM_IMAGES or wrong.size:
        found = f'the label {wrong[0]}' if wrong.size else f'{len(labels)} labels'
        raise ValueError(
            f'{path} must hold {NUM_IMAGES} labels from 1 to {NUM_CLASSES}, got {found}; fetch it '
            'again.'
        )
    return labels.astype(np.int64) - 1


def _read_ids(path: Path) -> np.ndarray:
    """Read image numbers, one per line; return them from 0, sorted."""
    words = path.read_text(encoding='utf-8').split()
    wrong = [word for word in words if not word.isdecimal() or not 1 <= int(word) <= NUM_IMAGES]
    if wrong or not words or len(set(words)) != len(words):
        found = repr(wrong[0]) if wrong else 'none' if not words else 'some twice'
        raise ValueError(f'{path} must list image numbers from 1 to {NUM_IMAGES}, got {found}.')
    return np.sort([int(word) - 1 for word in words])


def _check_list(split: str, test_ids: object) -> None:
    """Refuse a split that a list of test images does not define."""
    if test_ids is not None:
        check_choice('split', split, ('trainval', 'test'), cure='test_ids defines no other')
        check_path('test_ids', test_ids)
