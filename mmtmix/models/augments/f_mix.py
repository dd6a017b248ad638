"""FMix with a mask of each sample's own."""

from __future__ import annotations

import torch
from mmpretrain.registry import BATCH_AUGMENTS
from torch import Tensor

from mmtmix.checks import check_number
from mmtmix.functional import level_masks, low_frequency_noise, soft_level_masks

from .batch_augment import Details
from .mask_augment import MaskAugment


@BATCH_AUGMENTS.register_module()
class FMix(MaskAugment):
    """`FMix <https://arxiv.org/abs/2002.12047>`_ of k >= 2 images, with a mask a sample.

    Low-frequency noise is cut at a height that gives the sample's own image its share; with more
    than two images at several heights.

    Args:
        num_mix: Images a mix, k; 2 where edges are soft.
        alpha: Dirichlet parameter of the weights, > 0.
        decay_power: How fast the noise falls off with frequency, >= 0.
        max_soft: Share of the pixels to each side of an edge that belong to both images, in
            [0, 0.5]; 0 for a hard edge.
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
        decay_power: float = 3.0,
        max_soft: float = 0.0,
        num_classes: int | None = None,
    ):
        super().__init__(num_mix, alpha, num_classes)
        check_number('decay_power', decay_power, 0, cure='the paper uses 3')
        check_number('max_soft', max_soft, 0, 0.5, cure='it is a share to each side of the edge')
        if max_soft > 0 and num_mix != 2:
            raise ValueError(
                f'num_mix must be 2 with soft edges, got num_mix={num_mix} and '
                f'max_soft={max_soft}; use max_soft=0 for more images'
            )
        self.decay_power, self.max_soft = decay_power, max_soft

    def masks(
        self,
        batch_inputs: Tensor,
        batch_scores: Tensor,
        weights: Tensor,
        index: Tensor,
        generator: torch.Generator,
    ) -> Details:
        """See :meth:`MaskAugment.masks`."""
        size = batch_inputs.shape[-2:]
        if weights.device != generator.device:  # where the noise would take long to draw and move
            seed = int(torch.randint(2**62, (), generator=generator))
            generator = torch.Generator(weights.device).manual_seed(seed)
        noise = low_frequency_noise(len(index), *size, self.decay_power, generator)
        if self.max_soft > 0:
            masks = soft_level_masks(noise, weights[:, 0], self.max_soft)
        else:
            masks = level_masks(noise, weights)
        return dict(masks=masks, weights=masks.mean(dim=(2, 3, 4)))
