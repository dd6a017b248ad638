"""Mixers that leave images where they are."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor

from mmtmix.functional import blend_batch

from .batch_augment import BatchAugment, Details


class MaskAugment(BatchAugment):
    """Mix by masks over the images as they are."""

    def mix(
        self,
        batch_inputs: Tensor,
        batch_scores: Tensor,
        weights: Tensor,
        index: Tensor,
        generator: torch.Generator,
    ) -> tuple[Tensor, Details]:
        """See :meth:`BatchAugment.mix`."""
        found = self.masks(batch_inputs, batch_scores, weights, index, generator)
        masks = found['masks']
        mixed = blend_batch(batch_inputs, index, masks)
        return mixed, {**found, 'masks': masks.expand(-1, -1, -1, *batch_inputs.shape[-2:])}

    @abstractmethod
    def masks(
        self,
        batch_inputs: Tensor,
        batch_scores: Tensor,
        weights: Tensor,
        index: Tensor,
        generator: torch.Generator,
    ) -> Details:
        """Make the masks.

        Args:
            batch_inputs: (N, C, H, W); never written to.
            batch_scores: (N, num_classes), floating point.
            weights: (M, k), as drawn.
            index: (M, k), the images of each mix.
            generator: For whatever else is drawn, on the CPU.

        Returns:
            ``masks``, (M, k, 1, H, W) or broadcastable to it, summing to 1 over k; ``weights``
            (M, k) where the masks have others than were drawn; and what else belongs to the
            details.
        """
