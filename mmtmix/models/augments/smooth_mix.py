"""SmoothMix with a mask of its own for each mix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from mmpretrain.registry import BATCH_AUGMENTS
from torch import Tensor

from mmtmix.checks import check_numbers
from mmtmix.functional import Covers, gaussian_spots, layer_shares
from mmtmix.models.draw import Draw
from mmtmix.models.label_rules import GT, LabelRule

from .mask_augment import LayerAugment


@BATCH_AUGMENTS.register_module()
class SmoothMix(LayerAugment):
    """SmoothMix (Lee et al., CVPR Workshops 2020) of k >= 2 images, each mix with its own mask.

    Partners shine through in Gaussian spots around a pixel anywhere in the picture, a later one
    over the earlier ones. The ``weights`` are the means of the masks.

    Args:
        num_mix: Number of images per mix, k >= 2.
        alpha: Parameter of the Dirichlet distribution of the weights, > 0. With 1 and two images
            the deviation is uniform in its range, as in the public code.
        sigma: Range of the spots' standard deviation as a share of the picture's sides, > 0.
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
        sigma: Sequence[float] = (0.25, 0.5),
        num_classes: int | None = None,
        per_sample: bool = True,
        labels: str | Mapping | LabelRule = GT,
    ):
        super().__init__(num_mix, alpha, num_classes, per_sample, labels)
        cure = 'it is the range of a standard deviation'
        check_numbers('sigma', sigma, 2, above=0, ordered=True, cure=cure)
        self.sigma = tuple(sigma)

    def covers(self, images: Tensor, scores: Tensor, draw: Draw) -> Covers:
        """See :meth:`LayerAugment.covers`."""
        low, high = self.sigma
        sigma = low + (high - low) * layer_shares(draw.weights)
        centre = torch.rand(*sigma.shape, 2, generator=draw.generator)
        centre = centre.to(sigma.device, non_blocking=True)
        return gaussian_spots(centre, sigma, *images.shape[-2:])
