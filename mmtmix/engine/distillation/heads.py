"""Checks of the heads of student and teacher."""

from __future__ import annotations

from typing import Any

from mmpretrain.models import heads
from mmpretrain.models.heads import (
    ConformerHead,
    EfficientFormerClsHead,
    LeViTClsHead,
    MultiLabelClsHead,
    MultiTaskHead,
)

_OTHER_PREDICTIONS: tuple[tuple[type | None, str], ...] = (
    (MultiLabelClsHead, 'has several labels per image'),
    (MultiTaskHead, 'has one prediction per task'),
    (ConformerHead, 'gives two predictions per image and no single one to compare'),
    (getattr(heads, 'RegressionHead', None), 'predicts numbers'),  # not in upstream's MMPretrain
)


def check_prediction(head: Any, owner: str) -> None:
    """Refuse a head that does not give one softmax prediction per image.

    Args:
        head: Head of a classifier, or None.
        owner: Name of the network for the error, ``'student'`` or ``'teacher'``.

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

    Args:
        head: Head of the student.

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


def check_class_counts(student: int | None, teacher: int | None) -> None:
    """Refuse a teacher of another number of classes.

    Args:
        student: Number of classes of the student; None if it is unknown.
        teacher: Number of classes of the teacher; None if it is unknown.

    Raises:
        ValueError: If the numbers differ.
    """
    if None not in (student, teacher) and student != teacher:
        raise ValueError(
            f'the student has {student} classes and the teacher {teacher}; distillation needs a '
            'teacher of the same classes'
        )
