"""How soft the masks of any mask augment are, as a factor of its own."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace

import torch
from mmpretrain.registry import BATCH_AUGMENTS
from torch import Tensor

from mmtmix.checks import check_flag, check_number
from mmtmix.functional import blend, blend_batch, blur_masks, hold_areas
from mmtmix.models.draw import Details, Draw

from .batch_augment import BatchAugment
from .co_mixup import CoMixup
from .mask_augment import MaskAugment
from .puzzle_mix import PuzzleMix

LEAST_MASK = 1e-6
_KINDS = (MaskAugment, PuzzleMix, CoMixup)


@BATCH_AUGMENTS.register_module()
class SoftMasks(BatchAugment):
    """Soften the masks of another augment, and mix and label by the softened ones.

    The other augment draws its weights, partners and masks as it does alone. Its masks are then
    blurred, drawn towards those of Mixup, and tied to the weights, in this order. Each step is
    off by default, and then nothing changes. ``weights`` in the details, which labels follow, are
    the areas of the softened masks. A label rule of the other augment sees these masks, too.

    Args:
        augment: Augment whose labels follow the areas of its masks, or its config: each
            :class:`MaskAugment`, such as ``dict(type='SampleCutMix')``, ``PuzzleMix`` or
            ``CoMixup``.
        sigma: Standard deviation of a Gaussian blur in pixels of the images, >= 0. Nothing lies
            beyond the border, so masks do not fade there.
        mixup: Share of Mixup's masks, 0 to 1. With 1 each mask is its area everywhere.
        anchored: Whether each mask is then moved to the area of its drawn weight. The logarithms
            of the masks are shifted, one number per mask; a mask below 1e-6 counts as that.
        num_classes: Number of classes, >= 1, for integer labels (N,); None takes that of
            ``augment``.

    Raises:
        TypeError: If ``augment`` is none of these, or an argument is of another type.
        ValueError: If an argument is out of its range, or ``anchored`` is set for an augment that
            chooses its images itself.
    """

    def __init__(
        self,
        augment: Mapping | BatchAugment,
        sigma: float = 0.0,
        mixup: float = 0.0,
        anchored: bool = False,
        num_classes: int | None = None,
    ):
        check_number('sigma', sigma, 0, cure='it is in pixels of the images; 0 does not blur')
        check_number('mixup', mixup, 0, 1)
        check_flag('anchored', anchored)
        self.augment = _build(augment)
        if anchored and not self.augment.follows_index:
            raise ValueError(
                f'anchored must be False for {type(self.augment).__name__}, got True; it chooses '
                'the images of a mix itself, so they have no drawn weights'
            )
        self.sigma, self.mixup, self.anchored = sigma, mixup, anchored
        own = self.augment
        num_classes = own.num_classes if num_classes is None else num_classes
        super().__init__(own.num_mix, own.alpha, num_classes, own.per_sample)
        self.saliency = own.saliency
        self.labels, self.label_rule = own.labels, own.label_rule
        self.gives_saliency = own.gives_saliency
        self.follows_index = own.follows_index
        self.needs_distinct_classes = own.needs_distinct_classes

    @property
    def parts(self) -> tuple[BatchAugment, ...]:
        """See :attr:`BatchAugment.parts`."""
        return self.augment.parts

    @property
    def needs_network(self) -> bool:
        """See :attr:`BatchAugment.needs_network`."""
        return self.augment.needs_network

    def load(self) -> None:
        """See :meth:`BatchAugment.load`."""
        self.augment.load()

    def check_classes(self, num_classes: int) -> None:
        """See :meth:`BatchAugment.check_classes`."""
        self.augment.check_classes(num_classes)

    def make_draw(
        self, scores: Tensor, repeat: int = 1, generator: torch.Generator | None = None
    ) -> Draw:
        """See :meth:`BatchAugment.make_draw`; the other augment's own."""
        return self.augment.make_draw(scores, repeat, generator)

    def mix(self, images: Tensor, scores: Tensor, draw: Draw) -> tuple[Tensor, Details]:
        """See :meth:`BatchAugment.mix`."""
        if not (self.sigma or self.mixup or self.anchored):
            return self.augment.mix(images, scores, draw)
        mixed, details = self.augment.mix(images, scores, replace(draw, full_details=True))
        masks = self.soften(details['masks'], draw.weights)
        if 'warped' in details:
            mixed = blend(details['warped'], masks.to(images.dtype))
        else:
            mixed = blend_batch(images, details.get('index', draw.index), masks)
        return mixed, dict(details, masks=masks, weights=masks.mean(dim=(2, 3, 4)))

    @torch.no_grad()
    def soften(self, masks: Tensor, weights: Tensor) -> Tensor:
        """Return softened masks.

        Args:
            masks: Masks that sum to 1 over k, (M, k, 1, H, W).
            weights: Drawn weights of the images, (M, k), for ``anchored``.
        """
        masks = masks.float()
        if self.sigma > 0:
            masks = blur_masks(masks, self.sigma)
        if self.mixup > 0:
            masks = torch.lerp(masks, masks.mean(dim=(3, 4), keepdim=True), self.mixup)
        if self.anchored:
            logits = hold_areas(masks.clamp_min(LEAST_MASK).log().squeeze(2), weights)
            masks = torch.softmax(logits, dim=1).unsqueeze(2)
        return masks

    def warp_sources(self, images: Tensor, details: Details) -> Tensor:
        """See :meth:`BatchAugment.warp_sources`."""
        return self.augment.warp_sources(images, details)

    def mix_targets(self, scores: Tensor, details: Details) -> Tensor:
        """See :meth:`BatchAugment.mix_targets`."""
        return self.augment.mix_targets(scores, details)

    def unmixed_details(self, images: Tensor, scores: Tensor) -> Details:
        """See :meth:`BatchAugment.unmixed_details`."""
        return self.augment.unmixed_details(images, scores)


def _build(augment: Mapping | BatchAugment) -> BatchAugment:
    """Return the augment of a config, or the augment itself."""
    if isinstance(augment, Mapping) and 'type' in augment:
        augment = BATCH_AUGMENTS.build(deepcopy(dict(augment)))
    if not isinstance(augment, _KINDS):
        raise TypeError(
            "augment must be one of mmtmix that mixes by masks, such as dict(type='SampleCutMix') "
            "in place of MMPretrain's CutMix, PuzzleMix or CoMixup, got "
            f'{augment!r:.200}; ObjectPaste and SampleResizeMix move images, TransformMix has a '
            'temperature and SuperMix sigma of its own'
        )
    return augment
