"""Mixers that leave images where they are and look where these are salient."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping

import torch
from torch import Tensor

from mmtmix.models.saliency import SaliencySource, build_saliency

from .batch_augment import Details
from .mask_augment import MaskAugment


class SaliencyMaskAugment(MaskAugment):
    """Mix by masks that follow from the saliency of each image.

    Its details have, beside those of every mixer, ``saliency`` (N, k, 1, h, w), as the source
    gave it.

    Args:
        saliency: A source of :mod:`mmtmix.models.saliency`: its name, ``dict(type=..., ...)`` or
            the source itself.
        num_mix: Images a mix, k.
        alpha: Dirichlet parameter of the weights, > 0.
        num_classes: Number of classes, which integer labels (N,) need, >= 1; None takes scores
            alone.

    Raises:
        TypeError: If ``saliency`` is no source.
        ValueError: If an argument is out of its range.
    """

    def __init__(
        self,
        saliency: str | Mapping | SaliencySource,
        num_mix: int = 2,
        alpha: float = 1.0,
        num_classes: int | None = None,
    ):
        super().__init__(num_mix, alpha, num_classes)
        self.saliency = build_saliency(saliency)

    def masks(
        self,
        batch_inputs: Tensor,
        batch_scores: Tensor,
        weights: Tensor,
        index: Tensor,
        generator: torch.Generator,
    ) -> Details:
        """See :meth:`MaskAugment.masks`."""
        saliency = self.saliency(batch_inputs, batch_scores)
        self._check_saliency(saliency)
        masks = self.salient_masks(saliency, weights, index, batch_inputs.shape[-2:])
        return dict(masks=masks, weights=masks.mean(dim=(2, 3, 4)), saliency=saliency[index])

    @abstractmethod
    def salient_masks(
        self, saliency: Tensor, weights: Tensor, index: Tensor, size: torch.Size
    ) -> Tensor:
        """Make the masks.

        Args:
            saliency: Of the images of the batch, (N, 1, h, w).
            weights: (M, k), as drawn.
            index: (M, k), the images of each mix.
            size: Height and width of the images.

        Returns:
            (M, k, 1, H, W), summing to 1 over k.
        """

    def unmixed_details(self, images: Tensor, scores: Tensor) -> Details:
        """See :meth:`BatchAugment.unmixed_details`; the source isn't asked."""
        details = super().unmixed_details(images, scores)
        saliency = torch.zeros_like(details['weights'])[..., None, None, None]
        return dict(details, saliency=saliency)
