"""Saliency by a frozen teacher."""

from __future__ import annotations

import weakref

from torch import Tensor

from mmtmix.checks import check_choice
from mmtmix.models.label_check import check_one_class
from mmtmix.models.teachers import FrozenTeacher, TeacherMixin

from .base import SALIENCY_SOURCES, SaliencySource

CAM_CLASSES = ('target', 'predicted')


@SALIENCY_SOURCES.register_module()
class TeacherCAM(TeacherMixin, SaliencySource):
    """Class activation maps of a frozen teacher, each scaled to [0, 1].

    The teacher's files are read at the first call, so a classifier that was trained with this
    source predicts without them.

    Args:
        teacher: Arguments of :class:`~mmtmix.models.teachers.FrozenTeacher`, or a teacher.
        cam_class: Class whose map is returned: that of the label (``'target'``), or the one that
            the teacher predicts (``'predicted'``), for a teacher of another label space.

    Raises:
        FileNotFoundError: At the first call, if the teacher's files do not exist.
        TypeError: If ``teacher`` is neither.
        ValueError: If ``cam_class`` is unknown; at the first call, if the files don't fit.
    """

    def __init__(self, teacher: dict | FrozenTeacher, cam_class: str = 'target'):
        check_choice('cam_class', cam_class, CAM_CLASSES)
        self.cam_class = cam_class
        self.hold_teacher(teacher)
        self._images: weakref.ref[Tensor] | None = None
        self._logits: Tensor | None = None

    @property
    def needs_task_classes(self) -> bool:
        """See :attr:`TeacherMixin.needs_task_classes`."""
        return self.cam_class == 'target'

    @property
    def title(self) -> str:
        """See :attr:`SaliencySource.title`; the teacher's first images determine it."""
        return self.teacher.saliency_title

    def __call__(self, batch_inputs: Tensor, batch_scores: Tensor) -> Tensor:
        """See :meth:`SaliencySource.__call__`.

        Raises:
            ValueError: If the teacher has other classes than the labels, or an image has several.
        """
        classes = None
        if self.cam_class == 'target':
            check_cam_labels(self.teacher, batch_inputs, batch_scores)
            classes = batch_scores.argmax(dim=1)
        logits, saliency = self.teacher.saliency(batch_inputs, classes)
        self.teacher.report(logits, batch_scores)
        self._images, self._logits = weakref.ref(batch_inputs), logits
        return saliency

    def take_logits(self, batch_inputs: Tensor) -> Tensor | None:
        """Return the teacher's logits of the last call, if that had these very images.

        So what else needs the teacher's view of them, such as a distillation, runs it no second
        time. They are returned once.

        Args:
            batch_inputs: Images, (N, C, H, W).

        Returns:
            Logits (N, num_classes); None if the last call had other images, or there was none.
        """
        seen = None if self._images is None else self._images()
        logits, self._images, self._logits = self._logits, None, None
        return logits if seen is batch_inputs else None

    def __getstate__(self) -> dict:
        """Return the state to copy, without a batch's logits."""
        return {**self.__dict__, '_images': None, '_logits': None}


def check_cam_labels(teacher: FrozenTeacher, batch_inputs: Tensor, batch_scores: Tensor) -> None:
    """Refuse labels for which a teacher has no single activation map.

    Args:
        teacher: The teacher.
        batch_inputs: Images (N, C, H, W); a teacher of unknown width counts its classes on them.
        batch_scores: Labels of the images, (N, num_classes).

    Raises:
        ValueError: If the numbers of classes differ, or an image has several.
    """
    teacher_classes = teacher.count_classes(batch_inputs)
    if teacher_classes != batch_scores.size(1):
        raise ValueError(
            f'the teacher has {teacher_classes} classes and batch_scores has '
            f'{batch_scores.size(1)}; '
            "give a teacher of this task, or set cam_class='predicted' of TransformMix or "
            'TeacherCAM to use the activation maps of the classes that it predicts'
        )
    check_one_class(batch_scores)
