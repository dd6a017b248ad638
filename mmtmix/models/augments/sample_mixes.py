"""Mixup and CutMix with weights, partners and boxes of their own for each mix."""

from __future__ import annotations

from collections.abc import Mapping

from mmpretrain.registry import BATCH_AUGMENTS
from torch import Tensor

from mmtmix.checks import check_choice
from mmtmix.functional import Covers, box_covers, clip_boxes, layer_shares, place_boxes
from mmtmix.models.draw import Draw
from mmtmix.models.label_rules import GT, LabelRule

from .mask_augment import LayerAugment

PLACES = ('inside', 'clipped')


@BATCH_AUGMENTS.register_module()
class SampleMixup(LayerAugment):
    """`Mixup <https://arxiv.org/abs/1710.09412>`_ of k >= 2 images, each mix with its own weights.

    Args:
        num_mix: Number of images per mix, k >= 2.
        alpha: Parameter of the Dirichlet distribution of the weights, > 0. A large one, such as
            1e4, gives all images the same share.
        num_classes: Number of classes, >= 1, for integer labels (N,); None takes scores alone.
        per_sample: Whether each mix draws weights of its own; False draws one row per batch.
        labels: Label rule, see :class:`BatchAugment`; by default the drawn weights.
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

    ``places`` decides what these shares are. ``'inside'`` draws among the places where the whole
    box is inside the picture. For two images its area is then the drawn weight, and the middle of
    the picture is covered more often than its border. ``'clipped'`` is CutMix as published, and as
    torchvision and timm have it: the centre is uniform over the picture, and the box is cut off
    at the border. The partner's share is then at most the drawn weight, and smaller in the mean:
    mixes keep more of the own image. Labels follow the visible area in both cases.

    Args:
        num_mix: Number of images per mix, k >= 2.
        alpha: Parameter of the Dirichlet distribution of the weights, > 0.
        num_classes: Number of classes, >= 1, for integer labels (N,); None takes scores alone.
        per_sample: Whether each mix draws weights of its own; False draws one row per batch.
        labels: Label rule, see :class:`BatchAugment`; by default the ``weights`` of the details.
        places: Places of the boxes: ``'inside'`` the picture or ``'clipped'`` at its border.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range.
    """

    def __init__(
        self,
        num_mix: int = 2,
        alpha: float = 1.0,
        num_classes: int | None = None,
        per_sample: bool = True,
        labels: str | Mapping | LabelRule = GT,
        places: str = 'inside',
    ):
        super().__init__(num_mix, alpha, num_classes, per_sample, labels)
        check_choice('places', places, PLACES)
        self.places = places

    def covers(self, images: Tensor, scores: Tensor, draw: Draw) -> Covers:
        """See :meth:`LayerAugment.covers`."""
        height, width = images.shape[-2:]
        sides = layer_shares(draw.weights).sqrt()
        place = place_boxes if self.places == 'inside' else clip_boxes
        return box_covers(place(sides, height, width, draw.generator), height, width)
