"""Mixup and CutMix with weights, partners and boxes of each sample's own."""

from __future__ import annotations

from abc import abstractmethod

import torch
from mmpretrain.registry import BATCH_AUGMENTS
from torch import Tensor

from mmtmix.functional import blend, box_masks

from .batch_mixer import BatchMixer, Details


class BlindMixer(BatchMixer):
    """Mix by masks that don't depend on the images."""

    def mix(
        self,
        batch_inputs: Tensor,
        batch_scores: Tensor,
        weights: Tensor,
        index: Tensor,
        generator: torch.Generator,
    ) -> tuple[Tensor, Details]:
        """See :meth:`BatchMixer.mix`."""
        images = batch_inputs[index]
        weights, masks = self.masks(weights, images, generator)
        mixed = blend(images, masks.to(images.dtype))
        masks = masks.expand(-1, -1, -1, *images.shape[-2:])
        return mixed, dict(weights=weights, warped=images, masks=masks)

    @abstractmethod
    def masks(
        self, weights: Tensor, images: Tensor, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """Make the masks.

        Args:
            weights: (M, k), as drawn.
            images: (M, k, C, H, W).
            generator: On the CPU.

        Returns:
            The weights that the masks really have, (M, k), and the masks, (M, k, 1, H, W) or
            broadcastable to it.
        """


@BATCH_AUGMENTS.register_module()
class SampleMixup(BlindMixer):
    """`Mixup <https://arxiv.org/abs/1710.09412>`_ of k >= 2 images, with weights a sample.

    Args:
        num_mix: Images a mix, k.
        alpha: Dirichlet parameter of the weights, > 0. A large one, such as 1e4, gives all images
            the same share.
    """

    def masks(
        self, weights: Tensor, images: Tensor, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """See :meth:`BlindMixer.masks`."""
        return weights, weights[..., None, None, None]


@BATCH_AUGMENTS.register_module()
class SampleCutMix(BlindMixer):
    """`CutMix <https://arxiv.org/abs/1905.04899>`_ of k >= 2 images, with boxes a sample.

    Its ``weights`` are the shares that the images really have: boxes are whole pixels, and a
    later one may cover an earlier one.

    Args:
        num_mix: Images a mix, k.
        alpha: Dirichlet parameter of the weights, > 0.
    """

    def masks(
        self, weights: Tensor, images: Tensor, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """See :meth:`BlindMixer.masks`."""
        masks = box_masks(weights, *images.shape[-2:], generator)
        return masks.mean(dim=(2, 3, 4)), masks
