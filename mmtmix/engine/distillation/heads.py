"""Which heads can be distilled, and what their last layers see."""

from __future__ import annotations

from typing import Any

from mmpretrain.models import heads
from mmpretrain.models.heads import (
    ConformerHead,
    DeiTClsHead,
    EfficientFormerClsHead,
    LeViTClsHead,
    MultiLabelClsHead,
    MultiTaskHead,
)
from torch import nn

_OTHER_PREDICTIONS: tuple[tuple[type | None, str], ...] = (
    (MultiLabelClsHead, 'has several labels an image'),
    (MultiTaskHead, 'has one prediction per task'),
    (ConformerHead, 'gives two predictions per image and no single one to compare'),
    (getattr(heads, 'RegressionHead', None), 'predicts numbers'),  # not in upstream's MMPretrain
)


def check_prediction(head: Any, owner: str) -> None:
    """Refuse a head that does not give one softmax prediction per image.

    Args:
        head: A classifier's head, or None.
        owner: ``'student'`` or ``'teacher'``, for the message.

    Raises:
        ValueError: If it is one of MMPretrain's that give something else.
    """
    for kind, what in _OTHER_PREDICTIONS:
        if kind is not None and isinstance(head, kind):
            raise ValueError(
                f"DistillHook compares softmax predictions, and the {owner}'s "
                f'{type(head).__name__} {what}; use a {owner} with a head such as LinearClsHead'
            )


def check_trainable(head: Any) -> None:
    """Refuse a student's head that MMPretrain cannot train.

    Raises:
        ValueError: If it has a second, distilled classifier that MMPretrain only evaluates.
    """
    if (isinstance(head, EfficientFormerClsHead) and head.dist) or (
        isinstance(head, LeViTClsHead) and head.distillation
    ):
        raise ValueError(
            f'MMPretrain does not train a {type(head).__name__} with distillation=True; give the '
            'student distillation=False'
        )


def feature_layers(model: nn.Module) -> list[nn.Linear]:
    """Return the linear layers of a classifier's head whose outputs are its logits.

    Args:
        model: The classifier.

    Returns:
        The last layer; both last layers of a ``DeiTClsHead``, which averages their logits; none
        if the head has no linear layer.
    """
    head = getattr(model, 'head', None)
    if isinstance(head, DeiTClsHead):
        return [head.layers.head, head.layers.head_dist]
    layers = [layer for layer in head.modules() if isinstance(layer, nn.Linear)] if head else []
    return layers[-1:]


def feature_dim(model: nn.Module) -> int:
    """Return the dimension of what the last layers see, side by side; 0 if there are none."""
    return sum(layer.in_features for layer in feature_layers(model))
