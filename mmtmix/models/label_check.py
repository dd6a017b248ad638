"""Labels that can be mixed: from class indices or scores to scores, and which are refused."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from mmtmix.checks import check_integer

from .late_verdict import LateVerdict

_NEED = 'batch_scores must be soft labels of shape (N, num_classes), finite and not negative'
_CURE = (
    'for integer labels (N,) give the augment num_classes=..., or make them one-hot: '
    'torch.nn.functional.one_hot, or in a config '
    'data_preprocessor=dict(to_onehot=True, num_classes=...)'
)

_ROUNDING = 0.01  # rounding error of soft labels of many classes in half precision

# One per process: on CUDA a verdict arrives after the call that it concerns.
_late = LateVerdict()


def refusal(problem: str, cure: str = _CURE) -> str:
    """Return the one text by which every augment refuses labels.

    Args:
        problem: Labels that were received, such as ``'shape (8,) in torch.int64'``.
        cure: Advice.
    """
    return f'{_NEED}, got {problem}; {cure}'


def check_num_classes(num_classes: int | None) -> None:
    """Refuse a wrong number of classes.

    Args:
        num_classes: Number of classes, >= 1; None for scores of any number.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If it is neither None nor an integer >= 1.
    """
    if num_classes is not None:
        check_integer('num_classes', num_classes, 1, cure='None takes scores alone')


def as_scores(labels: Tensor, num_classes: int | None = None) -> Tensor:
    """Return the labels of a batch as scores, whose values are checked.

    Several classes of one image (multi-hot rows) pass, and so does an image of no class, a row of
    zeros. Augments that need one class per image refuse both by :func:`check_one_class`.

    Args:
        labels: Scores (N, num_classes), or class indices int (N,) where ``num_classes`` is given.
        num_classes: Number of classes; None allows scores of any number but one.

    Returns:
        Floating-point scores (N, num_classes); floating-point ones as they are.

    Raises:
        ValueError: If the shape is another, a score is NaN, infinite or negative, or a class
            index is out of range; on CUDA a wrong value is raised by a later call.
    """
    is_integer = not (labels.is_floating_point() or labels.dtype == torch.bool)
    if labels.dim() == 1 and is_integer and num_classes is not None:
        return _one_hot(labels, num_classes)
    shape = tuple(labels.shape)
    # one column is a list of class indices, unless the task has one class
    if labels.dim() == 2 and shape[1] == 1 and num_classes != 1:
        raise ValueError(refusal(f'class indices of shape {shape} in {labels.dtype}'))
    if labels.dim() != 2:
        raise ValueError(refusal(f'shape {shape} in {labels.dtype}'))
    if num_classes not in (None, shape[1]):
        raise ValueError(refusal(f'shape {shape} for num_classes={num_classes}'))
    scores = labels if labels.is_floating_point() else labels.float()
    check_scores(scores)
    return scores


def check_scores(scores: Tensor) -> None:
    """Refuse scores that are NaN, infinite or negative.

    Args:
        scores: Floating-point scores, (N, num_classes).

    Raises:
        ValueError: If one is; on CUDA raised by a later call.
    """
    if scores.numel() == 0 or scores.is_meta:
        return
    values = scores.detach()
    # a sum is finite only if every value is
    found = torch.stack([values.sum(dtype=torch.float32), values.amin().float()])
    shape = tuple(scores.shape)

    def judge(arrived: list[float]) -> str | None:
        total, least = arrived
        if math.isfinite(total) and least >= 0:
            return None
        kind = 'negative scores' if math.isfinite(total) else 'NaN or infinity'
        return refusal(f'{kind} in shape {shape}', 'look for what makes or smooths the labels')

    _late.raise_if(found, judge)


def check_one_class(batch_scores: Tensor) -> None:
    """Refuse labels that name several classes of an image, or none.

    Args:
        batch_scores: Scores, (N, num_classes). Rows of one-hot and of soft labels sum to 1.

    Raises:
        ValueError: If a row sums to more than 1, or to 0; on CUDA raised by a later call.
    """
    if batch_scores.is_meta or batch_scores.numel() == 0:
        return
    sums = batch_scores.detach().sum(dim=1, dtype=torch.float32)
    lowest, highest = torch.aminmax(sums)
    flags = torch.stack([highest <= 1 + _ROUNDING, lowest > 0])
    _late.raise_unless(flags, lambda arrived: _several_or_none(arrived, sums))


def _one_hot(labels: Tensor, num_classes: int) -> Tensor:
    if labels.numel() and not labels.is_meta:

        def judge(arrived: list[float]) -> str | None:
            least, most = arrived
            if least >= 0 and most < num_classes:
                return None
            return refusal(
                f'class indices outside 0 to {num_classes - 1}',
                'labels count from 0, and num_classes of the augment is the number of classes',
            )

        _late.raise_if(torch.stack(torch.aminmax(labels)), judge)
    # by comparison: `one_hot` of a wrong index would end the process's CUDA context
    classes = torch.arange(num_classes, device=labels.device)
    return (labels[:, None] == classes).float()


def _several_or_none(flags: list[bool], sums: Tensor) -> str:
    row = int(sums.argmin() if flags[0] else sums.argmax())
    what = 'no class' if flags[0] else 'several classes'
    return (
        f'batch_scores names {what} of an image (row {row} sums to {float(sums[row]):.4g}), and '
        'this takes one class per image; give one-hot or soft labels, or mix images of several '
        'labels by an augment that needs no class, such as SampleMixup'
    )
