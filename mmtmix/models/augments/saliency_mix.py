"""SaliencyMix with a box of each sample's own."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from mmpretrain.registry import BATCH_AUGMENTS
from torch import Tensor

from mmtmix.functional import centre_boxes, layer_shares, paste_boxes, resize_map
from mmtmix.models.saliency import SaliencySource

from .saliency_masks import SaliencyMaskAugment


@BATCH_AUGMENTS.register_module()
class SaliencyMix(SaliencyMaskAugment):
    """`SaliencyMix <https://arxiv.org/abs/2006.01791>`_ of k >= 2 images, with boxes a sample.

    A box around the most salient pixel of each partner is pasted at its own place, a later one
    over the earlier ones. The ``weights`` are the areas that can be seen: boxes are cut off at
    the border. The paper mixes half of its CIFAR batches; MMPretrain's ``probs`` beside
    ``augments`` does so.

    Args:
        saliency: Source of the saliency; the paper's by default.
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
        saliency: str | Mapping | SaliencySource = 'FineGrainedSaliency',
        num_mix: int = 2,
        alpha: float = 1.0,
        num_classes: int | None = None,
    ):
        super().__init__(saliency, num_mix, alpha, num_classes)

    def salient_masks(
        self, saliency: Tensor, weights: Tensor, index: Tensor, size: torch.Size
    ) -> Tensor:
        """See :meth:`SaliencyMaskAugment.salient_masks`."""
        height, width = size
        highest = resize_map(saliency, (height, width)).flatten(1).argmax(dim=1)
        place = torch.stack([highest // width, highest % width], dim=-1).to(weights.dtype)
        sides = layer_shares(weights).sqrt()
        boxes = centre_boxes(sides, place[index[:, 1:]], height, width)
        return paste_boxes(boxes, height, width)
