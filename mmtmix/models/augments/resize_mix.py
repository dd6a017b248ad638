"""ResizeMix with a box of each sample's own."""

from __future__ import annotations

import torch
from mmpretrain.registry import BATCH_AUGMENTS
from torch import Tensor

from mmtmix.checks import check_choice, check_number
from mmtmix.functional import layer_shares, paste_boxes, place_boxes, shrink_into_boxes

from .batch_augment import BatchAugment, Details

RANGES = ('side', 'lam')


@BATCH_AUGMENTS.register_module()
class SampleResizeMix(BatchAugment):
    """`ResizeMix <https://arxiv.org/abs/2012.11101>`_ of k >= 2 images, with boxes a sample.

    Partners are shrunk into boxes that lie anywhere inside the picture, a later one over the
    earlier ones. The ``weights`` are the areas that can be seen. Shrinking is bilinear without
    antialiasing, as in MMPretrain's.

    Args:
        num_mix: Images a mix, k.
        alpha: Dirichlet parameter of what is drawn, > 0. With 1 and two images it is uniform in
            the range below, as in the paper.
        lam_min: Lower end of the range, in [0, 1].
        lam_max: Upper end of the range, in [0, 1].
        lam_range: What the range is of: the box's ``'side'`` as a share of the picture's (the
            paper's scale rate), or the share ``'lam'`` of what lies below the box
            (MMPretrain's ResizeMix).
        num_classes: Number of classes, which integer labels (N,) need, >= 1; None takes scores
            alone.

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
    ):
        super().__init__(num_mix, alpha, num_classes)
        check_number('lam_min', lam_min, 0, 1)
        check_number('lam_max', lam_max, lam_min, 1, cure='lam_min is the least')
        check_choice('lam_range', lam_range, RANGES)
        self.lam_min, self.lam_max, self.lam_range = lam_min, lam_max, lam_range

    def mix(
        self,
        batch_inputs: Tensor,
        batch_scores: Tensor,
        weights: Tensor,
        index: Tensor,
        generator: torch.Generator,
    ) -> tuple[Tensor, Details]:
        """See :meth:`BatchAugment.mix`."""
        height, width = batch_inputs.shape[-2:]
        boxes = place_boxes(self._sides(weights), height, width, generator)
        masks = paste_boxes(boxes, height, width)
        patches = self._shrink(batch_inputs, index, boxes)
        mixed, shares = batch_inputs.index_select(0, index[:, 0]), masks.to(batch_inputs.dtype)
        for i in range(patches.size(1)):
            mixed.lerp_(patches[:, i], shares[:, i + 1])  # exact, as masks are 0 or 1
        return mixed, dict(weights=masks.mean(dim=(2, 3, 4)), masks=masks, boxes=boxes)

    def mix_with_details(
        self,
        batch_inputs: Tensor,
        batch_scores: Tensor,
        weights: Tensor,
        index: Tensor,
        generator: torch.Generator,
    ) -> tuple[Tensor, Details]:
        """See :meth:`BatchAugment.mix_with_details`."""
        mixed, details = super().mix_with_details(
            batch_inputs, batch_scores, weights, index, generator
        )
        # shrunk once more: holding on to them would slow down calls that don't ask for them
        patches = self._shrink(batch_inputs, index, details['boxes'])
        own = batch_inputs[index[:, :1]]
        return mixed, dict(details, warped=torch.cat([own, patches], dim=1))

    def unmixed_details(self, images: Tensor, scores: Tensor) -> Details:
        """See :meth:`BatchAugment.unmixed_details`; boxes are empty."""
        details = super().unmixed_details(images, scores)
        boxes = torch.zeros(len(images), self.num_mix - 1, 4, device=images.device)
        return dict(details, boxes=boxes)

    @staticmethod
    def _shrink(batch_inputs: Tensor, index: Tensor, boxes: Tensor) -> Tensor:
        """Each mix's partners in their boxes, (N, k - 1, C, H, W)."""
        partners = batch_inputs.index_select(0, index[:, 1:].flatten())
        return shrink_into_boxes(partners.unflatten(0, boxes.shape[:2]), boxes)

    def _sides(self, weights: Tensor) -> Tensor:
        """Sides of the partners' boxes as a share of the picture's, (N, k - 1)."""
        share, span = layer_shares(weights), self.lam_max - self.lam_min
        if self.lam_range == 'side':
            return self.lam_min + span * share
        return (1 - (self.lam_min + span * (1 - share))).sqrt()
