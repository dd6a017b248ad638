"""Labels of a batch as scores, and back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from mmpretrain.structures import DataSample
from torch import Tensor, nn

from mmtmix.models.label_check import as_scores


def read_scores(data_samples: Sequence[DataSample], num_classes: int) -> Tensor:
    """Return the labels of a batch as scores.

    Args:
        data_samples: N samples with ``gt_score`` or a single ``gt_label``.
        num_classes: Number of classes of the classifier.

    Returns:
        Floating-point scores, (N, num_classes): soft labels as they are, others one-hot.

    Raises:
        ValueError: If there are no labels, several per image, or labels that can't be mixed,
            see :func:`~mmtmix.models.label_check.as_scores`.
    """
    if not data_samples or not {'gt_score', 'gt_label'} & set(data_samples[0].keys()):
        raise ValueError(
            'the images have no labels (neither gt_label nor gt_score); train on a data set with '
            'labels, whose pipeline ends in PackInputs'
        )
    if 'gt_score' in data_samples[0]:
        return as_scores(torch.stack([sample.gt_score for sample in data_samples])).float()
    labels = torch.cat([sample.gt_label for sample in data_samples])
    if len(labels) != len(data_samples):
        raise ValueError(
            f'{len(data_samples)} images have {len(labels)} labels; images of several labels '
            "can't be mixed unless they come with gt_score"
        )
    return as_scores(labels, num_classes)


def scored_samples(scores: Iterable[Tensor]) -> list[DataSample]:
    """Return one sample per row of scores, for a head's loss.

    Args:
        scores: Scores, (N, num_classes).
    """
    return [DataSample().set_gt_score(score) for score in scores]


def check_soft_head(model: nn.Module) -> None:
    """Check that a classifier's head takes soft labels.

    Args:
        model: An ``ImageClassifier``.

    Raises:
        ValueError: If its head has no ``num_classes``, or computes an accuracy.
    """
    name = type(model).__name__
    if getattr(model.head, 'num_classes', None) is None:
        raise ValueError(
            f'{name} needs a head with num_classes, such as LinearClsHead, to mix labels; got '
            f'{type(model.head).__name__}'
        )
    if getattr(model.head, 'cal_acc', False):
        raise ValueError(
            f'{name} trains on mixed labels, which have no accuracy; set cal_acc=False in the head'
        )
