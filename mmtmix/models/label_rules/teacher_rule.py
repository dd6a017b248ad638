"""What label rules that run a teacher have in common."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from mmtmix.models.saliency import SaliencySource
from mmtmix.models.teachers import FrozenTeacher, TeacherMixin

from .base import Labelled, LabelRule


class TeacherRule(TeacherMixin, LabelRule):
    """A label rule that runs a teacher: its own, or that of the augment.

    Args:
        teacher: Arguments of :class:`~mmtmix.models.teachers.FrozenTeacher`, or a teacher. None
            takes that of the augment or of its saliency source.

    Raises:
        TypeError: If ``teacher`` is neither.
    """

    def __init__(self, teacher: dict | FrozenTeacher | None = None):
        if teacher is not None:
            self.hold_teacher(teacher)

    @property
    def needs_network(self) -> bool:
        """See :attr:`LabelRule.needs_network`."""
        return True

    @property
    def parts(self) -> Iterator[TeacherMixin | SaliencySource]:
        """See :attr:`LabelRule.parts`."""
        if self.has_teacher:
            yield self

    def load(self) -> None:
        """See :meth:`LabelRule.load`."""
        if self.has_teacher:
            super().load()

    def check_augment(self, augment: Labelled) -> None:
        """See :meth:`LabelRule.check_augment`."""
        if not self.has_teacher and _holder_of(augment) is None:
            name = type(self).__name__
            raise ValueError(
                f'labels by a teacher need one, and {type(augment).__name__} mixes without; add '
                f'teacher=dict(config=..., checkpoint=...) to labels=dict(type={name!r}, ...)'
            )

    def teacher_for(self, augment: Labelled) -> FrozenTeacher:
        """Return the teacher of the rule or, where it has none, that of the augment.

        Args:
            augment: Augment that :meth:`check_augment` has accepted.
        """
        holder = self if self.has_teacher else cast(TeacherMixin, _holder_of(augment))
        return holder.teacher


def _holder_of(augment: Labelled) -> TeacherMixin | None:
    """Return what holds the augment's teacher: itself, or a source inside of its saliency."""
    sources = () if augment.saliency is None else augment.saliency.parts
    return next((part for part in (augment, *sources) if isinstance(part, TeacherMixin)), None)
