"""Refuse labels that the model has no class for, before the first step."""

from __future__ import annotations

from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import BaseLoop
from mmpretrain.registry import HOOKS
from torch import nn

from mmtmix.engine.labels import check_labels, iter_labelled
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
