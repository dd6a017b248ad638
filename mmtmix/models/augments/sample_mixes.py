"""Mixup and CutMix with weights, partners and boxes of each sample's own."""

from __future__ import annotations

import torch
from mmpretrain.registry import BATCH_AUGMENTS
from torch import Tensor

from mmtmix.functional import box_masks

from .batch_augment import Details
from .mask_augment import MaskAugment


@BATCH_AUGMENTS.register_module()
class SampleMixup(MaskAugment):
    """`Mixup <https://arxiv.org/abs/1710.09412>`_ of k >= 2 images, with weights a sample.

    Args:
        num_mix: Images a mix, k.
        alpha: Dirichlet parameter of the weights, > 0. A large one, such as 1e4, gives all images
            the same share.
        num_classes: Number of classes, which integer labels (N,) need, >= 1; None takes scores
            alone.
    """

    def masks(
        self,
        batch_inputs: Tensor,
        batch_scores: Tensor,
        weights: Tensor,
        index: Tensor,
        generator: torch.Generator,
    ) -> Details:
        """See :meth:`MaskAugment.masks`."""
        return dict(masks=weights[..., None, None, None])


@BATCH_AUGMENTS.register_module()
class SampleCutMix(MaskAugment):
    """`CutMix <https://arxiv.org/abs/1905.04899>`_ of k >= 2 images, with boxes a sample.

    Its ``weights`` are the shares that the images really have: boxes are whole pixels, and a
    later one may cover an earlier one.

    Args:
        num_mix: Images a mix, k.
        alpha: Dirichlet parameter of the weights, > 0.
        num_classes: Number of classes, which integer labels (N,) need, >= 1; None takes scores
            alone.
    """

    def masks(
        self,
        batch_inputs: Tensor,
        batch_scores: Tensor,
        weights: Tensor,
        index: Tensor,
        generator: torch.Generator,
    ) -> Details:
        """See :meth:`MaskAugment.masks`."""
        masks = box_masks(weights, *batch_inputs.shape[-2:], generator)
        return dict(masks=masks, weights=masks.mean(dim=(2, 3, 4)))
