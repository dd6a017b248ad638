"""Mixup and CutMix with weights, partners and boxes of their own for each mix."""

from __future__ import annotations

from mmpretrain.registry import BATCH_AUGMENTS
from torch import Tensor

from mmtmix.functional import box_masks
from mmtmix.models.draw import Draw

from .mask_augment import MaskAugment


@BATCH_AUGMENTS.register_module()
class SampleMixup(MaskAugment):
    """`Mixup <https://arxiv.org/abs/1710.09412>`_ of k >= 2 images, each mix with its own weights.

    Args:
        num_mix: Number of images per mix, k >= 2.
        alpha: Parameter of the Dirichlet distribution of the weights, > 0. A large one, such as
            1e4, gives all images the same share.
        num_classes: Number of classes, >= 1, for integer labels (N,); None takes scores alone.
        per_sample: Whether each mix draws weights of its own; False draws one row per batch.
    """

    def masks(self, images: Tensor, scores: Tensor, draw: Draw) -> Tensor:
        """See :meth:`MaskAugment.masks`."""
        return draw.weights[..., None, None, None]


@BATCH_AUGMENTS.register_module()
class SampleCutMix(MaskAugment):
    """`CutMix <https://arxiv.org/abs/1905.04899>`_ of k >= 2 images, each mix with its own boxes.

    Its ``weights`` are the shares that the images really have: boxes are whole pixels, and a
    later one may cover an earlier one.

    Args:
        num_mix: Number of images per mix, k >= 2.
        alpha: Parameter of the Dirichlet distribution of the weights, > 0.
        num_classes: Number of classes, >= 1, for integer labels (N,); None takes scores alone.
        per_sample: Whether each mix draws weights of its own; False draws one row per batch.
    """

    def masks(self, images: Tensor, scores: Tensor, draw: Draw) -> Tensor:
        """See :meth:`MaskAugment.masks`."""
        height, width = images.shape[-2:]
        return box_masks(draw.weights, height, width, draw.generator)
