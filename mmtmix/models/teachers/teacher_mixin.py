"""The teacher of an augment or a saliency source."""

from __future__ import annotations

from functools import cached_property

from .building import build_teacher, check_teacher
from .frozen_teacher import FrozenTeacher


class TeacherMixin:
    """Hold a teacher whose files are read at its first use, so that only mixing needs them.

    In a list of base classes it comes before the class whose ``load`` it extends.
    """

    @property
    def needs_task_classes(self) -> bool:
        """Whether the teacher must have the classes of the labels, in their order."""
        return True

    def hold_teacher(self, teacher: dict | FrozenTeacher) -> None:
        """Check and store the arguments of the teacher.

        Args:
            teacher: Arguments of :class:`FrozenTeacher`, or a teacher.

        Raises:
            TypeError: If it is neither a dict nor a teacher, or an argument is unknown.
            ValueError: If ``config`` or ``checkpoint`` is missing or an option is unknown.
        """
        check_teacher(teacher)
        self._teacher = teacher

    @property
    def has_teacher(self) -> bool:
        """Whether it holds a teacher of its own."""
        return getattr(self, '_teacher', None) is not None

    @cached_property
    def teacher(self) -> FrozenTeacher:
        """The teacher; its files are read at the first access."""
        return build_teacher(self._teacher)

    def load(self) -> None:
        """Read the teacher's files, and those of the class that it extends.

        Raises:
            FileNotFoundError: If one is missing.
            ValueError: If one doesn't fit, or the order of colour channels is unknown.
        """
        self.teacher.check_channels()
        inherited = getattr(super(), 'load', None)
        if inherited is not None:
            inherited()
