"""GridMix with a grid of each sample's own."""

from __future__ import annotations

import torch
from mmpretrain.registry import BATCH_AUGMENTS
from torch import Tensor

from mmtmix.checks import check_integer
from mmtmix.functional import enlarge_cells, level_masks

from .batch_augment import Details
from .mask_augment import MaskAugment


@BATCH_AUGMENTS.register_module()
class GridMix(MaskAugment):
    """The mixing of `GridMix <https://doi.org/10.1016/j.patcog.2020.107594>`_, k >= 2 images.

    The cells of a regular grid are shared out at random, to each image as many as its weight
    says. The ``weights`` are the areas of the cells. The paper's second loss, on the class of
    each cell, needs a head of its own and is no part of this. (What is called GridMix in OpenMixup
    is GridMixup, a regular pattern of equal holes.)

    Args:
        num_mix: Images a mix, k.
        alpha: Dirichlet parameter of the weights, > 0.
        grid_size: Cells along each side of the picture.
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
        grid_size: int = 4,
        num_classes: int | None = None,
    ):
        super().__init__(num_mix, alpha, num_classes)
        check_integer('grid_size', grid_size, 2)
        self.grid_size = grid_size

    def masks(
        self,
        batch_inputs: Tensor,
        batch_scores: Tensor,
        weights: Tensor,
        index: Tensor,
        generator: torch.Generator,
    ) -> Details:
        """See :meth:`MaskAugment.masks`."""
        shape = len(index), self.grid_size, self.grid_size
        order = torch.rand(shape, generator=generator).to(weights.device, non_blocking=True)
        masks = enlarge_cells(level_masks(order, weights), *batch_inputs.shape[-2:])
        return dict(masks=masks, weights=masks.mean(dim=(2, 3, 4)))
