"""Labels for which a model has no class."""

from __future__ import annotations

import math
import os
import pickle
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
from mmengine.dataset import ClassBalancedDataset, RepeatDataset
from mmpretrain.datasets import BaseDataset, CustomDataset, KFoldDataset
from torch import nn
from torch.utils.data import ConcatDataset

from mmtmix.datasets import ResidentDataset
from mmtmix.utils import unwrap

_WRAPPERS = (RepeatDataset, ClassBalancedDataset, KFoldDataset, ResidentDataset)


def iter_labelled(dataset: Any) -> Iterator[Any]:
    """Yield the data sets with single integer labels that a data set is or wraps.

    Args:
        dataset: A data set, built and initialised.
    """
    if isinstance(dataset, ConcatDataset):
        for part in dataset.datasets:
            yield from iter_labelled(part)
    elif isinstance(dataset, _WRAPPERS):
        yield from iter_labelled(dataset.dataset)
    elif hasattr(dataset, 'get_gt_labels') and len(dataset):
        label = np.asarray(dataset.get_data_info(0).get('gt_label'))
        if label.ndim == 0 and label.dtype.kind in 'iu':
            yield dataset


def check_labels(dataset: Any, num_classes: int, loader: str) -> None:
    """Check the labels of a data set.

    Args:
        dataset: Data set of MMPretrain with single integer labels.
        num_classes: Number of classes, >= 1.
        loader: Name of the config field, for the error.

    Raises:
        ValueError: If a label is below 0 or not below ``num_classes``.
    """
    if _count_folders(dataset) <= num_classes:
        return
    labels = read_labels(dataset)
    wrong = np.flatnonzero((labels < 0) | (labels >= num_classes))
    if not wrong.size:
        return
    first = int(wrong[0])
    image = dataset.get_data_info(first).get('img_path', f'image {first}')
    folder = getattr(dataset, 'data_root', '') or getattr(dataset, 'img_prefix', '')
    place = f' in {os.path.abspath(folder)}' if folder else ''
    raise ValueError(
        f'{loader}: {type(dataset).__name__}{place} gives the label {labels[first]} to {image}, '
        f'but the model has {num_classes} classes, 0 to {num_classes - 1}; {wrong.size} of its '
        f'{len(labels)} images have such labels. Set num_classes of model.head and '
        "data_preprocessor to the data set's number of classes, or correct its annotations."
    )


def read_labels(dataset: Any) -> np.ndarray:
    """Return the labels of a data set of MMPretrain, int ``(N,)``.

    Args:
        dataset: The data set, built and initialised.
    """
    cls = type(dataset)
    is_plain = (
        getattr(cls, 'get_gt_labels', None) is BaseDataset.get_gt_labels
        and cls.get_data_info is BaseDataset.get_data_info
    )
    if not (is_plain and dataset.serialize_data):
        return np.asarray(dataset.get_gt_labels())
    # the same without a copy and several checks for each item
    stored, ends = memoryview(dataset.data_bytes), dataset.data_address.tolist()
    items = (pickle.loads(stored[start:end]) for start, end in pairwise([0, *ends]))
    return np.array([item['gt_label'] for item in items])


def _count_folders(dataset: Any) -> float:
    """Return the number of folders that labels count; infinity if they are no folders' numbers."""
    are_folders = (
        isinstance(dataset, CustomDataset)
        and type(dataset).load_data_list is CustomDataset.load_data_list
        and not dataset.ann_file
    )
    return len(dataset.CLASSES) if are_folders else math.inf


def count_model_classes(model: nn.Module) -> int | None:
    """Return the number of classes of a model: the least among its parts; None if unknown.

    Args:
        model: A model, which may be wrapped.
    """
    model = unwrap(model)
    parts = (getattr(model, name, None) for name in ('head', 'teacher', 'data_preprocessor'))
    counts = [getattr(part, 'num_classes', None) for part in parts]
    return min((count for count in counts if count), default=None)
