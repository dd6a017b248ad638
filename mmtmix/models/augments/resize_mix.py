"""ResizeMix with a box of its own for each mix."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from mmpretrain.registry import BATCH_AUGMENTS
from torch import Tensor

from mmtmix.checks import check_choice, check_number
from mmtmix.functional import (
    box_covers,
    layer_areas,
    layer_masks,
    layer_shares,
    place_boxes,
    product,
    shrink_into_boxes,
)
from mmtmix.models.draw import Details, Draw
from mmtmix.models.label_rules import GT, LabelRule

from .batch_augment import BatchAugment

RANGES = ('side', 'lam')


@BATCH_AUGMENTS.register_module()
class SampleResizeMix(BatchAugment):
    """`ResizeMix <https://arxiv.org/abs/2012.11101>`_ of k >= 2 images, each mix with its boxes.

    Partners are shrunk into boxes that lie anywhere inside the picture, a later one over the
    earlier ones. The ``weights`` in the details are the areas that can be seen. Shrinking is
    bilinear without antialiasing, as in MMPretrain's. The details have ``boxes`` (N, k - 1, 4) as
    well: top, left, height and width in pixels.

    Args:
        num_mix: Number of images per mix, k >= 2.
        alpha: Parameter of the Dirichlet distribution of the weights, > 0. With 1 and two images
            the side is uniform in its range, as in the paper.
        lam_min: Lower end of the range, in [0, 1].
        lam_max: Upper end of the range, in [0, 1].
        lam_range: Quantity that the range limits: the box's ``'side'`` as a share of the picture's
            (the paper's scale rate), or the share ``'lam'`` of the picture outside of the box
            (MMPretrain's ResizeMix).
        num_classes: Number of classes, >= 1, for integer labels (N,); None takes scores alone.
        per_sample: Whether each mix draws weights of its own; False draws one row per batch.
        labels: Label rule, see :class:`BatchAugment`; by default the ``weights`` of the details.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range.
    """

    def __init__(
        self,
        num_mix: int = 2,
        alpha: float = 1.0,
        lam_min: float = 0.1,
        lam_max: float = 0.8,
        lam_range: str = 'side',
        num_classes: int | None = None,
        per_sample: bool = True,
        labels: str | Mapping | LabelRule = GT,
    ):
        super().__init__(num_mix, alpha, num_classes, per_sample, labels)
        check_number('lam_min', lam_min, 0, 1)
        check_number('lam_max', lam_max, lam_min, 1, cure='lam_min is the least')
        check_choice('lam_range', lam_range, RANGES)
        self.lam_min, self.lam_max, self.lam_range = lam_min, lam_max, lam_range

    def mix(self, images: Tensor, scores: Tensor, draw: Draw) -> tuple[Tensor, Details]:
        """See :meth:`BatchAugment.mix`."""
        height, width = images.shape[-2:]
        boxes = place_boxes(self._sides(draw.weights), height, width, draw.generator)
        covers = box_covers(boxes, height, width)
        patches = _shrink(images, draw.index, boxes)
        mixed = images if draw.in_order else images.index_select(0, draw.index[:, 0])
        for i, cover in enumerate(product(covers).to(images.dtype).split(1, dim=1)):
            mixed = torch.lerp(mixed, patches[:, i], cover)  # exact, as covers are 0 or 1
        details = dict(weights=layer_areas(covers), boxes=boxes)
        if draw.full_details:
            details['masks'] = layer_masks(product(covers))
        return mixed, details

    def warp_sources(self, images: Tensor, details: Details) -> Tensor:
        """See :meth:`BatchAugment.warp_sources`."""
        # shrunk a second time, since keeping them in `mix` would slow down calls without details
        patches = _shrink(images, details['index'], details['boxes'])
        return torch.cat([images[details['index'][:, :1]], patches], dim=1)

    def unmixed_details(self, images: Tensor, scores: Tensor) -> Details:
        """See :meth:`BatchAugment.unmixed_details`; boxes are empty."""
        details = super().unmixed_details(images, scores)
        boxes = torch.zeros(len(images), self.num_mix - 1, 4, device=images.device)
        return dict(details, boxes=boxes)

    def _sides(self, weights: Tensor) -> Tensor:
        """Return the sides of the partners' boxes as a share of the picture's, (N, k - 1)."""
        share, span = layer_shares(weights), self.lam_max - self.lam_min
        if self.lam_range == 'side':
            return self.lam_min + span * share
        return (1 - (self.lam_min + span * (1 - share))).sqrt()


def _shrink(images: Tensor, index: Tensor, boxes: Tensor) -> Tensor:
    """Return the partners of each mix in their boxes, (M, k - 1, C, H, W)."""
    partners = images.index_select(0, index[:, 1:].flatten())
    return shrink_into_boxes(partners.unflatten(0, boxes.shape[:2]), boxes)
