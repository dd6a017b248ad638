"""Mixup and CutMix with weights, partners and boxes of their own for each mix."""

from __future__ import annotations

from mmpretrain.registry import BATCH_AUGMENTS
from torch import Tensor

from mmtmix.functional import Covers, box_covers, layer_shares, place_boxes
from mmtmix.models.draw import Draw

from .mask_augment import LayerAugment


@BATCH_AUGMENTS.register_module()
class SampleMixup(LayerAugment):
    """`Mixup <https://arxiv.org/abs/1710.09412>`_ of k >= 2 images, each mix with its own weights.

    Args:
        num_mix: Number of images per mix, k >= 2.
        alpha: Parameter of the Dirichlet distribution of the weights, > 0. A large one, such as
            1e4, gives all images the same share.
        num_classes: Number of classes, >= 1, for integer labels (N,); None takes scores alone.
        per_sample: Whether each mix draws weights of its own; False draws one row per batch.
    """

    def covers(self, images: Tensor, scores: Tensor, draw: Draw) -> Covers:
        """See :meth:`LayerAugment.covers`."""
        weights = draw.weights
        shares = weights[:, 1:] if weights.size(1) == 2 else layer_shares(weights)
        return (shares[..., None, None],)

    def areas(self, covers: Covers, draw: Draw) -> Tensor:
        """See :meth:`LayerAugment.areas`; these are the drawn weights."""
        return draw.weights

    def masks_of(self, covers: Covers, draw: Draw) -> Tensor:
        """See :meth:`LayerAugment.masks_of`; these are the drawn weights."""
        return draw.weights[..., None, None, None]


@BATCH_AUGMENTS.register_module()
class SampleCutMix(LayerAugment):
    """`CutMix <https://arxiv.org/abs/1905.04899>`_ of k >= 2 images, each mix with its own boxes.

    Its ``weights`` are the shares that the images really have: boxes are whole pixels, and a
    later one may cover an earlier one.

    Args:
        num_mix: Number of images per mix, k >= 2.
        alpha: Parameter of the Dirichlet distribution of the weights, > 0.
        num_classes: Number of classes, >= 1, for integer labels (N,); None takes scores alone.
        per_sample: Whether each mix draws weights of its own; False draws one row per batch.
    """

    def covers(self, images: Tensor, scores: Tensor, draw: Draw) -> Covers:
        """See :meth:`LayerAugment.covers`."""
        height, width = images.shape[-2:]
        sides = layer_shares(draw.weights).sqrt()
        return box_covers(place_boxes(sides, height, width, draw.generator), height, width)
