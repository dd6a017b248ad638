"""Labels that can be mixed: from class indices or scores to scores, and what is refused."""

from __future__ import annotations

import torch
from torch import Tensor

from mmtmix.checks import check_integer

from .late_verdict import LateVerdict

_NEED = 'batch_scores must be soft labels of shape (N, num_classes), finite and not negative'
_CURE = (
    'for integer labels (N,) give the mixer num_classes=..., or make them one-hot: '
    'torch.nn.functional.one_hot, or in a config '
    'data_preprocessor=dict(to_onehot=True, num_classes=...)'
)

# One for the process: on CUDA a verdict arrives after the call that it is about.
_late = LateVerdict()


def refusal(problem: str, cure: str = _CURE) -> str:
    """Return the one text by which every mixer refuses labels.

    Args:
        problem: What was received, such as ``'shape (8,) in torch.int64'``.
        cure: What to do about it.
    """
    return f'{_NEED}, got {problem}; {cure}'


def check_num_classes(num_classes: int | None) -> None:
    """Refuse a number of classes that is none.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If it is neither None nor an integer >= 1.
    """
    if num_classes is not None:
        check_integer('num_classes', num_classes, 1, cure='None takes scores alone')


def as_scores(labels: Tensor, num_classes: int | None = None) -> Tensor:
    """Return the labels of a batch as scores, whose values are checked.

    Several classes of one image (multi-hot rows) pass, and so does an image of no class, a row of
    zeros. Mixers that need one class per image refuse both by
    :func:`~mmtmix.models.one_class.check_one_class`.

    Args:
        labels: Scores (N, num_classes), or class indices int (N,) where ``num_classes`` is given.
        num_classes: Number of classes; None takes scores of any number of them but one.

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
    # one column is a list of class indices in disguise, unless one class is what was asked for
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
        scores: Floating point, (N, num_classes).

    Raises:
        ValueError: If one is; on CUDA by a later call.
    """
    if scores.numel() == 0 or scores.is_meta:
        return
    values = scores.detach()
    finite = torch.isfinite(values.sum(dtype=torch.float32))
    flags = torch.stack([finite, values.amin() >= 0])
    shape = tuple(scores.shape)

    def describe(known: list[bool]) -> str:
        kind = 'negative scores' if known[0] else 'NaN or infinity'
        return refusal(f'{kind} in shape {shape}', 'look for what makes or smooths the labels')

    _late.raise_unless(flags, describe)


def _one_hot(labels: Tensor, num_classes: int) -> Tensor:
    if labels.numel() and not labels.is_meta:
        inside = (labels >= 0) & (labels < num_classes)

        def describe(_: list[bool]) -> str:
            return refusal(
                f'class indices outside 0 to {num_classes - 1}',
                'labels count from 0, and num_classes of the mixer is the number of classes',
            )

        _late.raise_unless(inside.all().view(1), describe)
    # by comparison: `one_hot` of a wrong index would end the process's CUDA context
    classes = torch.arange(num_classes, device=labels.device)
    return (labels[:, None] == classes).float()
