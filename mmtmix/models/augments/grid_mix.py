"""GridMix with a grid of its own for each mix."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from mmpretrain.registry import BATCH_AUGMENTS
from torch import Tensor

from mmtmix.checks import check_integer
from mmtmix.functional import Covers, enlarge_cells, level_covers
from mmtmix.models.draw import Draw
from mmtmix.models.label_rules import GT, LabelRule

from .mask_augment import LayerAugment


@BATCH_AUGMENTS.register_module()
class GridMix(LayerAugment):
    """The mixing of `GridMix <https://doi.org/10.1016/j.patcog.2020.107594>`_, k >= 2 images.

    The cells of a regular grid are shared out at random, in numbers that follow the weights. The
    ``weights`` in the details are the areas of the cells. The paper's second loss, on the class of
    each cell, needs a head of its own and is no part of this. OpenMixup's GridMix is another
    method, GridMixup: a regular pattern of equal holes.

    Args:
        num_mix: Number of images per mix, k >= 2.
        alpha: Parameter of the Dirichlet distribution of the weights, > 0.
        grid_size: Number of cells along each side of the picture, >= 2.
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
        grid_size: int = 4,
        num_classes: int | None = None,
        per_sample: bool = True,
        labels: str | Mapping | LabelRule = GT,
    ):
        super().__init__(num_mix, alpha, num_classes, per_sample, labels)
        check_integer('grid_size', grid_size, 2)
        self.grid_size = grid_size

    def covers(self, images: Tensor, scores: Tensor, draw: Draw) -> Covers:
        """See :meth:`LayerAugment.covers`."""
        shape = len(draw.index), self.grid_size, self.grid_size
        order = torch.rand(shape, generator=draw.generator)
        order = order.to(draw.weights.device, non_blocking=True)
        return (enlarge_cells(level_covers(order, draw.weights), *images.shape[-2:]),)
