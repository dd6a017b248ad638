"""SaliencyMix with a box of its own for each mix."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from mmpretrain.registry import BATCH_AUGMENTS
from torch import Tensor

from mmtmix.functional import centre_boxes, layer_shares, paste_boxes, resize_map
from mmtmix.models.draw import Draw
from mmtmix.models.label_rules import GT, LabelRule
from mmtmix.models.saliency import SaliencySource

from .mask_augment import SaliencyMaskAugment


@BATCH_AUGMENTS.register_module()
class SaliencyMix(SaliencyMaskAugment):
    """`SaliencyMix <https://arxiv.org/abs/2006.01791>`_ of k >= 2 images, each mix with its boxes.

    A box around the most salient pixel of each partner is pasted at its own place, a later one
    over the earlier ones. Boxes are cut off at the border, and the ``weights`` in the details are
    the areas that can be seen. The paper mixes half of its CIFAR batches; so does MMPretrain's
    ``probs=[0.5]`` beside ``augments``.

    Args:
        saliency: Source of the saliency: its name, config or the source; the paper's by default.
        num_mix: Number of images per mix, k >= 2.
        alpha: Parameter of the Dirichlet distribution of the weights, > 0.
        num_classes: Number of classes, >= 1, for integer labels (N,); None takes scores alone.
        per_sample: Whether each mix draws weights of its own; False draws one row per batch.
        labels: Label rule, see :class:`BatchAugment`; by default the ``weights`` of the details.

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
        per_sample: bool = True,
        labels: str | Mapping | LabelRule = GT,
    ):
        super().__init__(saliency, num_mix, alpha, num_classes, per_sample, labels)

    def salient_masks(self, saliency: Tensor, draw: Draw, size: torch.Size) -> Tensor:
        """See :meth:`SaliencyMaskAugment.salient_masks`."""
        height, width = size
        highest = resize_map(saliency, (height, width)).flatten(1).argmax(dim=1)
        place = torch.stack([highest // width, highest % width], dim=-1).to(draw.weights.dtype)
        sides = layer_shares(draw.weights).sqrt()
        boxes = centre_boxes(sides, place[draw.index[:, 1:]], height, width)
        return paste_boxes(boxes, height, width)
