"""Labels by a teacher's saliency of each mix."""

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
    """Label each mix by the part of the teacher's saliency that lies on each of its images.

    With the saliency ``S`` of the mix, for the class that the teacher predicts, and the masks
    ``M_i``, image i has the share

    ``(1 - share) * w_i + share * sum_u M_i(u) * S(u) / sum_u S(u)``,

    where ``w_i`` is its weight in the augment, such as its area. Mixup, whose masks are its
    weights, keeps its labels, and so does a mix without any saliency. ``VisibleLabels`` takes the
    saliency of the images before they are mixed; this rule takes that of the mix. The teacher sees
    each mix once.

    With ``share=0.5`` it has the form of the public code of TransMix (Chen et al., CVPR 2022).
    There ``S`` is the attention of the class token in the transformer that is trained, and masks
    are shrunk to its patches. Here it is the saliency of a frozen teacher of any architecture,
    scaled to [0, 1] and enlarged to the masks.

    Args:
        teacher: Arguments of :class:`~mmtmix.models.teachers.FrozenTeacher`, or a teacher; it may
            have other classes than the task. None takes that of the augment or of its saliency
            source.
        share: Weight of the saliency against the augment's own weights, in (0, 1].

    Raises:
        FileNotFoundError: At the first call, if the teacher's files do not exist.
        TypeError: If an argument is of another type.
        ValueError: If ``share`` is out of its range.
    """

    needs_masks = True

    def __init__(self, teacher: dict | FrozenTeacher | None = None, share: float = 0.5):
        check_number('share', share, most=1, above=0, cure="labels='gt' has none of the saliency")
        super().__init__(teacher)
        self.share = share

    @property
    def needs_task_classes(self) -> bool:
        """See :attr:`TeacherMixin.needs_task_classes`."""
        return False

    @torch.no_grad()
    def __call__(self, mix: MixToLabel) -> Details:
        """See :meth:`LabelRule.__call__`."""
        weights, masks = mix.details['weights'], mix.details['masks']
        _, saliency = self.teacher_for(mix.augment).saliency(mix.mixed)
        maps = resize_map(saliency, (masks.size(-2), masks.size(-1)))
        attended = visible_shares(maps[:, None].expand_as(masks), masks, weights)
        shares = weights + self.share * (attended - weights)
        return dict(weights=shares.to(weights.dtype))
