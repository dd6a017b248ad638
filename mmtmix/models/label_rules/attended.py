"""Labels by where a teacher looks in a mix."""

from __future__ import annotations

import torch

from mmtmix.checks import check_number
from mmtmix.functional import resize_map, visible_shares
from mmtmix.models.draw import Details
from mmtmix.models.teachers import FrozenTeacher

from .base import LABEL_RULES, MixToLabel
from .teacher_rule import TeacherRule


@LABEL_RULES.register_module()
class AttendedLabels(TeacherRule):
    """Label each mix by how much of the teacher's saliency lies on each of its images.

    With the saliency ``S`` of the mix, for the class that the teacher predicts, and the masks
    ``M_i``, image i has the share

    ``(1 - share) * w_i + share * sum_u M_i(u) * S(u) / sum_u S(u)``,

    where ``w_i`` is its weight in the augment, such as its area. A mix without any saliency keeps
    the weights. ``VisibleLabels`` looks at the images before they are mixed; this rule looks at
    the mix.

    It is the rule of TransMix (Chen et al., CVPR 2022), in which ``S`` is the attention of the
    class token of the transformer in training. Here it is the saliency of a frozen teacher of any
    architecture.

    Args:
        teacher: Arguments of :class:`~mmtmix.models.teachers.FrozenTeacher`, or a teacher; it may
            have other classes than the task. None takes that of the augment or of its saliency
            source.
        share: Share of what is attended, in [0, 1]; TransMix's code has 0.5.

    Raises:
        FileNotFoundError: At the first call, if the teacher's files do not exist.
        TypeError: If an argument is of another type.
        ValueError: If ``share`` is out of its range.
    """

    needs_masks = True
    cam_class = 'predicted'
    """Class whose map counts; the labels of the task are not looked at."""

    def __init__(self, teacher: dict | FrozenTeacher | None = None, share: float = 0.5):
        check_number('share', share, 0, 1)
        super().__init__(teacher)
        self.share = share

    @torch.no_grad()
    def __call__(self, mix: MixToLabel) -> Details:
        """See :meth:`LabelRule.__call__`."""
        weights, masks = mix.details['weights'], mix.details['masks']
        _, saliency = self.teacher_for(mix.augment).saliency(mix.mixed)
        maps = resize_map(saliency, (masks.size(-2), masks.size(-1)))
        attended = visible_shares(maps[:, None].expand_as(masks), masks, weights)
        return dict(weights=weights + self.share * (attended - weights))
