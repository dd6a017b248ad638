"""Labels by what a mix leaves visible of each image."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from mmtmix.checks import check_flag
from mmtmix.functional import resize_map, unit_mass, visible_shares
from mmtmix.models.draw import Details
from mmtmix.models.late_verdict import FiniteCheck
from mmtmix.models.saliency import SaliencySource, build_saliency

from .base import LABEL_RULES, Labelled, LabelRule, MixToLabel

_CURE = (
    'the network that it comes from has diverged, or its precision is too small: train with a '
    'lower learning rate, or in float32'
)


@LABEL_RULES.register_module()
class VisibleLabels(LabelRule):
    """Label each mix by the shares of its images in the visible saliency.

    The saliency of image i is enlarged to the picture and scaled to a sum of 1: ``S_i(u)``. It
    moves as the image does: ``T_i S_i``. With the masks ``M_i`` the shares are

    ``v_i / sum_j v_j,  v_i = sum_u M_i(u) * (T_i S_i)(u)``.

    So ``v_i`` is the visible part of all that matters in image i. Mixup, whose masks are its
    weights, keeps its labels. An image without any saliency counts as equally salient everywhere.
    A mix that shows no saliency of any image keeps the weights of the augment, such as areas.

    Args:
        saliency: Source of :mod:`mmtmix.models.saliency`: its name, ``dict(type=..., ...)`` or the
            source. None takes the saliency that the augment itself mixes by, at no further pass
            of a network.
        per_image: Whether the saliency of each image is scaled to a sum of 1. False takes it in
            the source's own scale, so a larger object has a larger share.

    Raises:
        TypeError: If ``saliency`` is no source, or ``per_image`` is not a bool.
    """

    needs_masks = True

    def __init__(
        self,
        saliency: str | Mapping | SaliencySource | None = None,
        per_image: bool = True,
    ):
        check_flag('per_image', per_image)
        self.saliency = None if saliency is None else build_saliency(saliency)
        self.per_image = per_image
        self._check_saliency = FiniteCheck('the saliency for VisibleLabels', _CURE)

    def check_augment(self, augment: Labelled) -> None:
        """See :meth:`LabelRule.check_augment`."""
        if self.saliency is None and not augment.gives_saliency:
            raise ValueError(
                f'labels by what is visible need saliency, and {type(augment).__name__} mixes '
                "without any; give a source, such as labels=dict(type='VisibleLabels', "
                "saliency=dict(type='TeacherCAM', teacher=...))"
            )

    @torch.no_grad()
    def __call__(self, mix: MixToLabel) -> Details:
        """See :meth:`LabelRule.__call__`."""
        if self.saliency is None:
            own = mix.details['saliency']
            maps = self._of_images(own.flatten(0, 1), mix.images)
            index = torch.arange(len(maps), device=maps.device).view(own.shape[:2])
        else:
            source = self.saliency.drawing_from(mix.generator)
            maps = self._of_images(source(mix.images, mix.scores), mix.images)
            index = mix.details['index']
        moved = mix.augment.warp_sources(maps, {**mix.details, 'index': index})
        shares = visible_shares(moved, mix.details['masks'], mix.details['weights'])
        return dict(weights=shares)

    def _of_images(self, saliency: Tensor, images: Tensor) -> Tensor:
        """Return saliency at the size of the images, scaled, float32 (n, 1, H, W)."""
        self._check_saliency(saliency)
        maps = resize_map(saliency.float(), (images.size(-2), images.size(-1)))
        return unit_mass(maps) if self.per_image else maps
