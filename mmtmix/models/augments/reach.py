"""Refuse runs whose batches don't reach their augments, which MMPretrain would skip silently.

``ClsDataPreprocessor`` applies its augments only to samples with one-hot scores. Samples of
several tasks and samples without labels have none. If a ``SwitchRecipeHook`` adds the first
augment of a run later, its samples have none either.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from mmengine.logging import print_log
from mmengine.model import BaseDataPreprocessor, BaseModel
from mmengine.runner import Runner
from mmpretrain.engine import SwitchRecipeHook
from mmpretrain.structures import DataSample, MultiTaskDataSample

from mmtmix.models.saliency import set_object_masks
from mmtmix.utils import unwrap


class BatchWatch:
    """Set one-hot labels while a data preprocessor has batch augments, or refuse a batch.

    It is a forward pre-hook of the preprocessor. It only compares types, so it never waits for a
    GPU. It also hands the data samples over to :class:`~mmtmix.models.TrueMasks`, which read
    their masks.

    Args:
        to_onehot: Whether the config sets one-hot labels in any case.
    """

    def __init__(self, to_onehot: bool):
        self.to_onehot = to_onehot

    @torch.compiler.disable
    def __call__(self, module: BaseDataPreprocessor, args: tuple, kwargs: dict) -> None:
        """Check one call of the preprocessor; see ``register_forward_pre_hook`` of torch.

        Raises:
            ValueError: If the batch is one that MMPretrain would not mix.
        """
        call = inspect.signature(module.forward).bind(*args, **kwargs).arguments
        if not call.get('training', False):
            return
        has_augments = module.batch_augments is not None
        # without augments labels stay integers, since MMPretrain's losses take no integer scores
        module.to_onehot = self.to_onehot or has_augments
        if has_augments:
            check_samples(call['data'])
            set_object_masks(call['data'].get('data_samples'))

    @torch.compiler.disable
    def end(self, module: BaseDataPreprocessor, args: tuple, output: Any) -> None:
        """Take the data samples back after a call, or after an exception in it."""
        set_object_masks(None)


def watch(preprocessor: BaseDataPreprocessor) -> None:
    """Make sure that the training batches of a data preprocessor reach its batch augments.

    Args:
        preprocessor: Data preprocessor that applies batch augments. Further calls with the same
            one change nothing.
    """
    hooks = preprocessor._forward_pre_hooks.values()
    if not any(isinstance(hook, BatchWatch) for hook in hooks):
        hook = BatchWatch(preprocessor.to_onehot)
        preprocessor.register_forward_pre_hook(hook, with_kwargs=True)
        preprocessor.register_forward_hook(hook.end, always_call=True)


def watch_builder() -> None:
    """Watch the data preprocessor that will call the augment under construction.

    MMPretrain builds an augment without a reference to its caller, and calls it only for batches
    that it mixes. In MMPretrain's own tools only the call stack has both: a data preprocessor
    under construction, or a Runner that makes a ``SwitchRecipeHook``.

    Raises:
        ValueError: If the model of that Runner can't take an augment later.
    """
    is_switched = False
    frame = inspect.currentframe()
    while frame is not None:
        owner = frame.f_locals.get('self')
        if isinstance(owner, BaseDataPreprocessor):
            if hasattr(owner, 'to_onehot'):
                watch(owner)
            return
        is_switched |= isinstance(owner, SwitchRecipeHook)
        if isinstance(owner, Runner):
            if is_switched and hasattr(owner, 'model'):
                prepare_switch(owner.model)
            return
        frame = frame.f_back


def prepare_switch(model: BaseModel) -> None:
    """Prepare a model for the augments that a ``SwitchRecipeHook`` brings later.

    Args:
        model: Classifier, with or without its DDP wrapper.

    Raises:
        ValueError: If its data preprocessor applies no augments, its head computes an accuracy,
            which mixed labels don't have, or the number of classes is unknown.
    """
    model = unwrap(model)
    preprocessor, head = model.data_preprocessor, getattr(model, 'head', None)
    if not can_mix(preprocessor):
        raise ValueError(
            f'SwitchRecipeHook brings an augment, and data_preprocessor.type='
            f'{type(preprocessor).__name__!r} applies no batch augments; use '
            "'ClsDataPreprocessor', or leave batch_augments out of the schedule"
        )
    if getattr(head, 'cal_acc', False):
        raise ValueError(
            'SwitchRecipeHook brings an augment, and mixed labels have no accuracy; set '
            'cal_acc=False in model.head'
        )
    if preprocessor.num_classes is None:
        preprocessor.num_classes = getattr(head, 'num_classes', None)
    if preprocessor.num_classes is None:
        raise ValueError(
            'SwitchRecipeHook brings an augment, which needs one-hot labels, and the number of '
            'classes is unknown; set data_preprocessor=dict(num_classes=...)'
        )
    watch(preprocessor)


def can_mix(preprocessor: BaseDataPreprocessor) -> bool:
    """Return whether a data preprocessor applies the batch augments of its config.

    Args:
        preprocessor: Data preprocessor of a classifier.
    """
    return getattr(preprocessor, 'takes_augments', hasattr(preprocessor, 'batch_augments'))


def check_samples(data: Any) -> None:
    """Refuse a batch whose samples have no labels to mix.

    Args:
        data: Batch that goes into a data preprocessor.

    Raises:
        ValueError: If the samples are of several tasks or have no labels.
    """
    samples = data.get('data_samples') if isinstance(data, Mapping) else None
    sample = samples[0] if isinstance(samples, Sequence) and samples else None
    if isinstance(sample, MultiTaskDataSample):
        raise ValueError(
            'batch augments are set, and the samples are of several tasks '
            '(MultiTaskDataSample), which MMPretrain does not mix; leave model.train_cfg.augments '
            'out, or train on one task with a pipeline that ends in PackInputs'
        )
    if not isinstance(sample, DataSample) or not {'gt_label', 'gt_score'} & set(sample.keys()):
        raise ValueError(
            'batch augments are set, and the samples have no labels (neither gt_label nor '
            'gt_score), so MMPretrain would not mix them; leave model.train_cfg.augments out, or '
            'train on a data set with labels, whose pipeline ends in PackInputs'
        )


def warn_unmixed(num_samples: int, num_mix: int) -> None:
    """Log that a batch is too small for an augment that has mixed none yet.

    Args:
        num_samples: Number of images in the batch.
        num_mix: Number of images per mix.
    """
    print_log(
        f'A batch of {num_samples} is smaller than num_mix={num_mix} and is not mixed, and no '
        'larger one came before it. If all of them are so small, nothing is mixed: set a larger '
        'train_dataloader.batch_size',
        logger='current',
        level=logging.WARNING,
    )
