"""FMix with a mask of its own for each mix."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from mmpretrain.registry import BATCH_AUGMENTS
from torch import Tensor

from mmtmix.checks import check_number
from mmtmix.functional import Covers, level_covers, low_frequency_noise, soft_level_masks
from mmtmix.models.draw import Draw
from mmtmix.models.label_rules import GT, LabelRule

from .mask_augment import LayerAugment


@BATCH_AUGMENTS.register_module()
class FMix(LayerAugment):
    """`FMix <https://arxiv.org/abs/2002.12047>`_ of k >= 2 images, each mix with its own mask.

    Low-frequency noise is cut at the height that leaves the own image its share. For more than two
    images it is cut at several heights.

    Args:
        num_mix: Number of images per mix, k >= 2; 2 where edges are soft.
        alpha: Parameter of the Dirichlet distribution of the weights, > 0.
        decay_power: Power by which the noise falls off with frequency, >= 0.
        max_soft: Share of the pixels to each side of an edge that belong to both images, in
            [0, 0.5]; 0 for a hard edge.
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
        decay_power: float = 3.0,
        max_soft: float = 0.0,
        num_classes: int | None = None,
        per_sample: bool = True,
        labels: str | Mapping | LabelRule = GT,
    ):
        super().__init__(num_mix, alpha, num_classes, per_sample, labels)
        check_number('decay_power', decay_power, 0, cure='the paper uses 3')
        check_number('max_soft', max_soft, 0, 0.5, cure='it is a share to each side of the edge')
        if max_soft > 0 and num_mix != 2:
            raise ValueError(
                f'num_mix must be 2 with soft edges, got num_mix={num_mix} and '
                f'max_soft={max_soft}; use max_soft=0 for more images'
            )
        self.decay_power, self.max_soft = decay_power, max_soft

    def covers(self, images: Tensor, scores: Tensor, draw: Draw) -> Covers:
        """See :meth:`LayerAugment.covers`."""
        weights, generator = draw.weights, draw.generator
        # drawing the noise on the CPU and moving it would be slow
        if weights.device != generator.device:
            seed = int(torch.randint(2**62, (), generator=generator))
            generator = torch.Generator(weights.device).manual_seed(seed)
        height, width = images.shape[-2:]
        noise = low_frequency_noise(len(weights), height, width, self.decay_power, generator)
        if self.max_soft > 0:
            return (soft_level_masks(noise, weights[:, 0], self.max_soft)[:, 1],)
        return (level_covers(noise, weights),)
