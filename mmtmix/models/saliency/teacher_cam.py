"""Saliency by a frozen teacher."""

from __future__ import annotations

from torch import Tensor

from mmtmix.models.teachers import FrozenTeacher, build_teacher

from .base import SALIENCY_SOURCES, SaliencySource

CAM_CLASSES = ('target', 'predicted')


@SALIENCY_SOURCES.register_module()
class TeacherCAM(SaliencySource):
    """Class activation maps of a frozen teacher, each scaled to [0, 1].

    Args:
        teacher: Arguments of :class:`~mmtmix.models.teachers.FrozenTeacher`, or a teacher.
        cam_class: Whose map: of the label (``'target'``), or of the class that the teacher
            predicts (``'predicted'``), for a teacher of another label space.

    Raises:
        FileNotFoundError: If the teacher's files do not exist.
        ValueError: If ``cam_class`` is unknown.
    """

    def __init__(self, teacher: dict | FrozenTeacher, cam_class: str = 'target'):
        if cam_class not in CAM_CLASSES:
            raise ValueError(f'cam_class must be one of {CAM_CLASSES}, got {cam_class!r}')
        self.cam_class = cam_class
        self.teacher = build_teacher(teacher)

    def __call__(self, batch_inputs: Tensor, batch_scores: Tensor) -> Tensor:
        """See :meth:`SaliencySource.__call__`.

        Raises:
            ValueError: If the teacher has other classes than the labels.
        """
        classes = None
        if self.cam_class == 'target':
            check_classes(self.teacher, batch_scores)
            classes = batch_scores.argmax(dim=1)
        return self.teacher.saliency(batch_inputs, classes)[1]


def check_classes(teacher: FrozenTeacher, batch_scores: Tensor) -> None:
    """Refuse labels of other classes than a teacher's.

    Raises:
        ValueError: If the numbers differ.
    """
    known = teacher.num_classes
    if known is not None and known != batch_scores.size(1):
        raise ValueError(
            f'the teacher knows {known} classes and batch_scores has {batch_scores.size(1)}; '
            "give a teacher of this task, or set cam_class='predicted' to use the activation "
            'maps of the classes that it predicts'
        )
