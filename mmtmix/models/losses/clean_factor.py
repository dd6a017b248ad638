"""The weight of a loss on clean images beside the loss that a classifier trains with."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from mmpretrain.models.losses import CrossEntropyLoss, LabelSmoothLoss
from torch import nn


@runtime_checkable
class HasCleanFactor(Protocol):
    """A loss with a factor of its own for a cross entropy on clean images beside it."""

    def clean_factor(self, num_classes: int) -> float:
        """Return the factor, > 0.

        Args:
            num_classes: Number of classes, >= 1.
        """


def clean_factor(model: nn.Module, num_classes: int) -> float:
    """Return the factor of a clean cross entropy that suits the loss of a classifier.

    PuzzleMix's public code adds a cross entropy on clean images to the loss on mixed ones. On
    ImageNet both are cross entropies, and the factor is 1. Elsewhere the loss on mixed images is
    :class:`SoftmaxBCELoss`, a mean over classes as well, and the factor is 2 / num_classes. A
    loss of another kind declares its own by a method ``clean_factor(num_classes)``.

    Args:
        model: Classifier that has the loss as ``head.loss_module`` or ``loss_module``.
        num_classes: Number of classes, >= 1.

    Returns:
        The factor, > 0, times the ``loss_weight`` of the loss, so that the two keep their ratio.

    Raises:
        ValueError: If the model has no such loss, or its factor is not built in.
    """
    loss = getattr(getattr(model, 'head', None), 'loss_module', None)
    loss = getattr(model, 'loss_module', None) if loss is None else loss
    if isinstance(loss, HasCleanFactor):
        factor = loss.clean_factor(num_classes)
    elif _is_cross_entropy(loss):
        factor = 1.0
    else:
        name = 'no loss_module' if loss is None else f'the loss {type(loss).__name__}'
        raise ValueError(
            f'clean_lam weighs a cross entropy on clean images beside the loss of the model, and '
            f'{type(model).__name__} has {name}, for which no factor is built in; set '
            'clean_factor (1 beside a cross entropy, 2 / num_classes beside SoftmaxBCELoss), or '
            'clean_lam=0'
        )
    return factor * getattr(loss, 'loss_weight', 1.0)


def _is_cross_entropy(loss: nn.Module | None) -> bool:
    """Return whether a loss is a cross entropy of the softmax, a mean over images."""
    loss = loss.ce if isinstance(loss, LabelSmoothLoss) else loss
    return isinstance(loss, CrossEntropyLoss) and not loss.use_sigmoid and loss.reduction == 'mean'
