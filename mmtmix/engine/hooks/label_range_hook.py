"""Refuse labels that the model has no class for, before the first step."""

from __future__ import annotations

import math
import os
import pickle
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
from mmengine.dataset import ClassBalancedDataset, RepeatDataset
from mmengine.hooks import Hook
from mmengine.runner import BaseLoop
from mmpretrain.datasets import BaseDataset, CustomDataset, KFoldDataset
from mmpretrain.registry import HOOKS
from torch import nn
from torch.utils.data import ConcatDataset

from mmtmix.utils import unwrap

_LOADERS = ('train', 'val', 'test')


@HOOKS.register_module()
class LabelRangeHook(Hook):
    """Compares the labels of every data set with the model's number of classes.

    MMPretrain's data sets accept any label, and one that is too large fails in the middle of an
    epoch, on a GPU without a hint. This looks at each data set once, before a run starts: the
    validation images too, which are not read until an epoch has passed. MMPretrain's data sets of
    single labels are looked at, alone or in MMEngine's wrappers; others, those with several labels
    or none, and models that don't tell their number of classes are left alone.

    ImageNet's 1.28 million training images take 1 s with a list of labels, against 4 s by the
    data set's own method, and no time where labels come from folders.
    """

    def __init__(self) -> None:
        self._seen: list[Any] = []

    def before_run(self, runner: Any) -> None:
        """Look at the loaders that this run has built.

        Raises:
            ValueError: If a label is none of the model's classes.
        """
        num_classes = count_model_classes(runner.model)
        if num_classes is None:
            return
        for name in _LOADERS:
            # the runner's properties would build the loops that it doesn't need
            loop = getattr(runner, f'_{name}_loop', None)
            if not isinstance(loop, BaseLoop):
                continue
            for dataset in iter_labelled(loop.dataloader.dataset):
                if not any(dataset is seen for seen in self._seen):
                    self._seen.append(dataset)
                    check_labels(dataset, num_classes, f'{name}_dataloader')


def count_model_classes(model: nn.Module) -> int | None:
    """The number of classes that a model is built for: the least that a part of it names."""
    model = unwrap(model)
    parts = (getattr(model, name, None) for name in ('head', 'teacher', 'data_preprocessor'))
    counts = [getattr(part, 'num_classes', None) for part in parts]
    return min((count for count in counts if count), default=None)


def iter_labelled(dataset: Any) -> Iterator[Any]:
    """Yield the data sets with single integer labels that a data set is or wraps."""
    if isinstance(dataset, ConcatDataset):
        for part in dataset.datasets:
            yield from iter_labelled(part)
    elif isinstance(dataset, (RepeatDataset, ClassBalancedDataset, KFoldDataset)):
        yield from iter_labelled(dataset.dataset)
    elif hasattr(dataset, 'get_gt_labels') and len(dataset):
        label = np.asarray(dataset.get_data_info(0).get('gt_label'))
        if label.ndim == 0 and label.dtype.kind in 'iu':
            yield dataset


def check_labels(dataset: Any, num_classes: int, loader: str) -> None:
    """Check the labels of a data set.

    Args:
        dataset: One of MMPretrain's, with single integer labels.
        num_classes: How many classes there are.
        loader: The config field to name.

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
    """The labels of a data set of MMPretrain's, int ``(N,)``."""
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
    """How many folders the labels of a data set count; infinity if they come from elsewhere."""
    are_folders = (
        isinstance(dataset, CustomDataset)
        and type(dataset).load_data_list is CustomDataset.load_data_list
        and not dataset.ann_file
    )
    return len(dataset.CLASSES) if are_folders else math.inf
