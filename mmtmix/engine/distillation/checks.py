"""Checks before a student learns from a teacher."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import torch
from mmengine.dataset import ConcatDataset
from torch import Tensor, nn

from mmtmix.checks import check_choice
from mmtmix.models.losses import DistillLoss
from mmtmix.models.teachers import FrozenTeacher

from .heads import check_prediction
from .mixes import Mixes
from .objective import KD_ON, MIXED_CLS
from .student import Student


def check_choices(mixed_cls: str, kd_on: str, mixed: Mapping | None) -> None:
    """Refuse arguments of the hook that are unknown, or need mixed images where there are none.

    Args:
        mixed_cls: Argument of the hook.
        kd_on: Argument of the hook.
        mixed: Argument of the hook.

    Raises:
        ValueError: If one is refused.
    """
    check_choice('mixed_cls', mixed_cls, MIXED_CLS)
    check_choice('kd_on', kd_on, KD_ON)
    if kd_on != 'clean' and mixed is None:
        raise ValueError(
            f'kd_on={kd_on!r} needs mixed images; give mixed=dict(augment=...) or '
            "mixed=dict(dataloader=...), or set kd_on='clean'"
        )


def check_distillable(teacher: FrozenTeacher, needs_features: bool) -> None:
    """Refuse a teacher whose head gives no softmax prediction, or whose features are unknown.

    Args:
        teacher: The teacher.
        needs_features: Whether a loss compares features.

    Raises:
        ValueError: If it is refused.
    """
    check_prediction(getattr(teacher.model, 'head', None), 'teacher')
    if needs_features and not teacher.feature_dim:
        raise ValueError(
            f'the teacher {type(teacher.model).__name__} has no linear layer, so its features are '
            'unknown; use a loss on logits, such as KDLoss'
        )


def check_views(student: Student, losses: Iterable[DistillLoss], mixes: Mixes | None) -> None:
    """Refuse losses and mixes of single samples for a student that takes several views of each.

    Args:
        student: The student.
        losses: Losses of the distillation.
        mixes: Source of mixed images, or None.

    Raises:
        ValueError: If there are any.
    """
    if student.head_use.rows != 'views':
        return
    by_sample = [f'losses has {type(loss).__name__}' for loss in losses if loss.needs_index]
    if mixes is not None:
        by_sample.append('mixed images are given')
    if by_sample:
        raise ValueError(
            f'model.type={type(student.model).__name__!r} takes several views of each sample, and '
            f'{" and ".join(by_sample)}, for which a sample is one image; use '
            "losses=[dict(type='KDLoss')] without mixed, or model.type='ImageClassifier'"
        )


def numbered_labels(dataset: Any) -> Tensor:
    """Return the labels of all samples in the order of their numbers, int64 (num_samples,).

    Args:
        dataset: Data set of the training.

    Raises:
        ValueError: If the numbers are not unique, or the data set has no ``get_gt_labels``.
    """
    while hasattr(dataset, 'dataset'):  # repeats and the like keep the numbers of their samples
        dataset = dataset.dataset
    if isinstance(dataset, ConcatDataset) or not hasattr(dataset, 'get_gt_labels'):
        raise ValueError(
            f'CRDLoss identifies images by sample_idx, which is not unique or has no labels in a '
            f'{type(dataset).__name__}; train on one data set of MMPretrain'
        )
    return torch.as_tensor(np.asarray(dataset.get_gt_labels()), dtype=torch.long)


def repeats_batches(dataloader: Any) -> bool:
    """Return whether each pass has the same batches, identified by the numbers of their samples.

    Args:
        dataloader: Loader of the validation.
    """
    is_shuffled = getattr(dataloader.sampler, 'shuffle', True)
    return not is_shuffled and not isinstance(dataloader.dataset, ConcatDataset)


def load_losses(losses: nn.ModuleList, state: dict[str, Tensor]) -> None:
    """Load the state of losses.

    Args:
        losses: The losses, prepared.
        state: State dict in a checkpoint.

    Raises:
        ValueError: If it belongs to another data set or other networks.
    """
    own = losses.state_dict()
    wrong = [
        f'{name} {tuple(state[name].shape)} instead of {tuple(own[name].shape)}'
        if name in state
        else f'{name} missing'
        for name in own
        if name not in state or state[name].shape != own[name].shape
    ]
    if wrong or len(state) > len(own):
        raise ValueError(
            'the checkpoint to resume from was made with other losses, networks or another data '
            f'set: {"; ".join(wrong) or sorted(state.keys() - own.keys())}'
        )
    losses.load_state_dict(state)
