"""Labels by how similar a mix is to each of its images."""

from __future__ import annotations

import torch

from mmtmix.checks import check_number
from mmtmix.functional import similar_shares
from mmtmix.models.draw import Details
from mmtmix.models.teachers import FrozenTeacher

from .base import LABEL_RULES, MixToLabel
from .teacher_rule import TeacherRule


@LABEL_RULES.register_module()
class SimilarLabels(TeacherRule):
    """Label each mix by how similar it is to each of its images, for a teacher.

    With the teacher's features ``h``, the input of its last linear layer, image i has the share

    ``w_i * exp(s_i / temperature) / sum_j w_j * exp(s_j / temperature)``,

    where ``s_i = cos(h(mix), h(i))``, and ``w_i`` is its weight in the augment, such as its area.
    The teacher sees the mixes and the images of the batch, in two passes.

    The idea is that of SUMix (Qin et al., ECCV 2024): the weights are corrected by the similarity
    of a mix to its images. Ours are the frozen teacher in place of the network in training, and
    the cosine of features in place of a distance of probabilities. SUMix's second part, a loss for
    the uncertainty, is not here.

    Args:
        teacher: Arguments of :class:`~mmtmix.models.teachers.FrozenTeacher`, or a teacher; it may
            have other classes than the task. None takes that of the augment or of its saliency
            source.
        temperature: Divisor of the similarities, > 0; the larger, the nearer labels are to the
            weights.

    Raises:
        FileNotFoundError: At the first call, if the teacher's files do not exist.
        TypeError: If an argument is of another type.
        ValueError: If ``temperature`` is not positive; at the first call, if the teacher has no
            last linear layer.
    """

    cam_class = 'predicted'
    """No map of a class is used; the labels of the task are not looked at."""

    def __init__(self, teacher: dict | FrozenTeacher | None = None, temperature: float = 0.1):
        check_number('temperature', temperature, above=0)
        super().__init__(teacher)
        self.temperature = temperature

    @torch.no_grad()
    def __call__(self, mix: MixToLabel) -> Details:
        """See :meth:`LabelRule.__call__`.

        Raises:
            ValueError: If the teacher has no last linear layer.
        """
        teacher = self.teacher_for(mix.augment)
        _, features = teacher.features(mix.images)
        _, mixed = teacher.features(mix.mixed)
        weights, index = mix.details['weights'], mix.details['index']
        shares = similar_shares(mixed, features, weights, index, self.temperature)
        return dict(weights=shares.to(weights.dtype))
