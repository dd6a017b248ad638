"""SmoothMix with a mask of each sample's own."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmpretrain.registry import BATCH_AUGMENTS
from torch import Tensor

from mmtmix.checks import check_numbers
from mmtmix.functional import gaussian_spots, layer_masks, layer_shares

from .batch_augment import Details
from .mask_augment import MaskAugment


@BATCH_AUGMENTS.register_module()
class SmoothMix(MaskAugment):
    """SmoothMix (Lee et al., CVPR Workshops 2020) of k >= 2 images, with a mask a sample.

    Partners shine through in Gaussian spots around a pixel anywhere in the picture, a later one
    over the earlier ones. The ``weights`` are the means of the masks.

    Args:
        num_mix: Images a mix, k.
        alpha: Dirichlet parameter of what is drawn, > 0. With 1 and two images it is uniform in
            the range below, as in the public code.
        sigma: Range of the spots' standard deviation as a share of the picture's sides.
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
        sigma: Sequence[float] = (0.25, 0.5),
        num_classes: int | None = None,
    ):
        super().__init__(num_mix, alpha, num_classes)
        cure = 'it is the range of a standard deviation'
        check_numbers('sigma', sigma, 2, above=0, ordered=True, cure=cure)
        self.sigma = tuple(sigma)

    def masks(
        self,
        batch_inputs: Tensor,
        batch_scores: Tensor,
        weights: Tensor,
        index: Tensor,
        generator: torch.Generator,
    ) -> Details:
        """See :meth:`MaskAugment.masks`."""
        low, high = self.sigma
        sigma = low + (high - low) * layer_shares(weights)
        centre = torch.rand(*sigma.shape, 2, generator=generator)
        centre = centre.to(weights.device, non_blocking=True)
        masks = layer_masks(gaussian_spots(centre, sigma, *batch_inputs.shape[-2:]))
        return dict(masks=masks, weights=masks.mean(dim=(2, 3, 4)))
