"""Labels by the similarity of a mix to each of its images."""

from __future__ import annotations

import torch

from mmtmix.checks import check_number
from mmtmix.functional import similar_shares
from mmtmix.models.draw import Details
from mmtmix.models.teachers import FrozenTeacher

from .base import LABEL_RULES, MixToLabel
from .teacher_rule import TeacherRule

_LEAST_TEMPERATURE = 1e-3  # a smaller one overflows


@LABEL_RULES.register_module()
class SimilarLabels(TeacherRule):
    """Label each mix by the similarity of its features to those of its images.

    Features ``h`` are what the last linear layer of the teacher takes. Image i has the share

    ``w_i * exp(s_i / temperature) / sum_j w_j * exp(s_j / temperature)``,

    where ``s_i = cos(h(mix), h(i))``, and ``w_i`` is its weight in the augment, such as its area.
    The teacher makes two passes, one of the images of the batch and one of the mixes.

    The idea is that of SUMix (Qin et al., ECCV 2024): weights are corrected by the similarity of a
    mix to its images. SUMix compares class probabilities of the network in training. Here features
    of a frozen teacher are compared. SUMix's loss for the uncertainty of a mix is not part of it.

    Args:
        teacher: Arguments of :class:`~mmtmix.models.teachers.FrozenTeacher`, or a teacher; it may
            have other classes than the task. None takes that of the augment or of its saliency
            source.
        temperature: Divisor of the similarities, >= 0.001; the larger, the nearer labels are to
            the weights.

    Raises:
        FileNotFoundError: At the first call, if the teacher's files do not exist.
        TypeError: If an argument is of another type.
        ValueError: If ``temperature`` is out of its range; at ``load`` or the first call, if the
            teacher has no linear layer that gives its logits.
    """

    def __init__(self, teacher: dict | FrozenTeacher | None = None, temperature: float = 0.1):
        check_number('temperature', temperature, _LEAST_TEMPERATURE)
        super().__init__(teacher)
        self.temperature = temperature

    @property
    def needs_task_classes(self) -> bool:
        """See :attr:`TeacherMixin.needs_task_classes`."""
        return False

    def load(self) -> None:
        """See :meth:`LabelRule.load`.

        Raises:
            ValueError: If the rule's teacher has no linear layer.
        """
        super().load()
        if self.has_teacher and not self.teacher.feature_dim:
            raise ValueError(
                'SimilarLabels compares the features ahead of the last linear layer, and '
                f'{self.teacher} has no linear layer; give another teacher, or use '
                "labels=dict(type='AttendedLabels', teacher=...)"
            )

    @torch.no_grad()
    def __call__(self, mix: MixToLabel) -> Details:
        """See :meth:`LabelRule.__call__`.

        Raises:
            ValueError: If the teacher has no linear layer that gives its logits.
        """
        teacher = self.teacher_for(mix.augment)
        _, features = teacher.features(mix.images)
        _, mixed = teacher.features(mix.mixed)
        weights, index = mix.details['weights'], mix.details['index']
        shares = similar_shares(mixed, features, weights, index, self.temperature)
        return dict(weights=shares.to(weights.dtype))
