"""Objects that are cut out of one image and pasted into another."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from mmpretrain.registry import BATCH_AUGMENTS
from torch import Tensor

from mmtmix.checks import check_choice, check_integer, check_number
from mmtmix.functional import (
    covered_pixels,
    layer_masks,
    object_boxes,
    patch_masks,
    resize_map,
    shift_images,
)
from mmtmix.models.draw import Details, Draw
from mmtmix.models.label_rules import LabelRule
from mmtmix.models.saliency import SaliencySource, build_saliency
from mmtmix.models.teachers import FrozenTeacher

from .batch_augment import BatchAugment
from .mask_augment import saliency_of

SHAPES = ('box', 'mask')
OPACITIES = ('full', 'drawn')
PLACES = ('over', 'own', 'random', 'clear')


@BATCH_AUGMENTS.register_module()
class ObjectPaste(BatchAugment):
    """Cut the object out of the partner and paste it over that of the own image.

    The object is where the saliency, enlarged to the picture, exceeds ``threshold`` times its
    largest value. With a teacher this is a mixer: objects are found by its class activation maps,
    refined by colour (:class:`~mmtmix.models.RefinedSaliency`). With ``saliency='TrueMasks'`` it
    is a reference: what a mixer could do that has the true masks. The ``weights`` in the details
    are the means of the masks: how much of the picture shows each image. An image whose map is 0
    everywhere has no object, and its mix shows the own image alone.

    The details have as well: ``saliency`` (N, 2, 1, H, W), 1 on the objects and 0 elsewhere, by
    which ``labels='visible'`` counts; and ``shift`` (N, 2), pixels down and right by which the
    partner's object moved.

    Args:
        teacher: Arguments of :class:`~mmtmix.models.teachers.FrozenTeacher`, or a teacher, by
            whose refined maps objects are found.
        saliency: Source of :mod:`mmtmix.models.saliency` in place of a teacher: its name,
            ``dict(type=..., ...)`` or the source. It is taken as it is, not refined.
        shape: Pixels that are pasted: the least ``'box'`` around the object, or its exact
            ``'mask'``.
        place: Place of the pasted pixels: ``'over'`` the own image's object, centre on centre as
            far as the picture allows; the object's ``'own'`` place; a ``'random'`` one, from all
            at which its box is inside the picture; or a ``'clear'`` one, drawn from those among
            them that cover the fewest pixels of the own image's object.
        opacity: Opacity of the pasted pixels: ``'full'``, or ``'drawn'``, which is the partner's
            weight: a Mixup of objects before one background.
        alpha: Parameter of the Beta distribution of the weights, > 0, for a drawn opacity.
        threshold: Share of a map's largest value that its object exceeds, in [0, 1).
        num_mix: Number of images per mix, 2.
        num_classes: Number of classes, >= 1, for integer labels (N,); None takes scores alone.
        labels: Label rule, see :class:`BatchAugment`: by default the visible part of both
            objects; ``'gt'`` takes the ``weights`` of the details.

    Raises:
        FileNotFoundError: At the first call, if the teacher's files do not exist.
        TypeError: If ``saliency`` is no source, or an argument is of another type.
        ValueError: If an argument is out of its range, or there is not exactly one of teacher and
            saliency.
    """

    saliency: SaliencySource
    gives_saliency = True

    def __init__(
        self,
        teacher: dict | FrozenTeacher | None = None,
        saliency: str | Mapping | SaliencySource | None = None,
        shape: str = 'mask',
        place: str = 'over',
        opacity: str = 'full',
        alpha: float = 1.0,
        threshold: float = 0.5,
        num_mix: int = 2,
        num_classes: int | None = None,
        labels: str | Mapping | LabelRule = 'visible',
    ):
        check_integer('num_mix', num_mix, 2, 2, cure='the object of one partner is pasted')
        check_choice('shape', shape, SHAPES)
        check_choice('place', place, PLACES)
        check_choice('opacity', opacity, OPACITIES)
        check_number('threshold', threshold, 0, below=1)
        source = saliency_of(teacher, saliency)
        if teacher is not None:
            source = dict(type='RefinedSaliency', source=source)
        self.saliency = build_saliency(source)  # first, since a label rule may read it
        super().__init__(num_mix, alpha, num_classes=num_classes, labels=labels)
        self.shape, self.place, self.opacity = shape, place, opacity
        self.threshold = threshold

    @torch.no_grad()
    def mix(self, images: Tensor, scores: Tensor, draw: Draw) -> tuple[Tensor, Details]:
        """See :meth:`BatchAugment.mix`."""
        saliency = self.saliency.drawing_from(draw.generator)(images, scores)
        self._check_saliency(saliency)
        maps = resize_map(saliency.float(), (images.size(2), images.size(3)))[:, 0]
        objects = maps > self.threshold * maps.amax(dim=(1, 2), keepdim=True)
        own, partner = draw.index.unbind(1)
        pasted = objects[partner]
        boxes = object_boxes(pasted)
        if self.shape == 'box':
            pasted = patch_masks(boxes, *maps.shape[1:])[:, 0]
        shift = self._draw_place(objects[own], pasted, boxes, draw.generator) - boxes[:, :2]
        cover = shift_images(pasted[:, None], shift)
        moved = shift_images(images.index_select(0, partner), shift)
        below = images.index_select(0, own)
        if self.opacity == 'full':
            mixed = torch.where(cover, moved, below)
        else:
            cover = cover * draw.weights[:, 1, None, None, None]
            mixed = torch.lerp(below, moved, cover.to(images.dtype))
        area = cover.float().mean(dim=(2, 3))
        details = dict(weights=torch.cat([1 - area, area], dim=1), shift=shift)
        if draw.full_details:
            details['masks'] = layer_masks(cover)
            details['saliency'] = objects[draw.index].unsqueeze(2).float()
        return mixed, details

    def warp_sources(self, images: Tensor, details: Details) -> Tensor:
        """See :meth:`BatchAugment.warp_sources`."""
        own, partner = (images.index_select(0, row) for row in details['index'].unbind(1))
        return torch.stack([own, shift_images(partner, details['shift'])], dim=1)

    def unmixed_details(self, images: Tensor, scores: Tensor) -> Details:
        """See :meth:`BatchAugment.unmixed_details`; nothing is moved."""
        details = super().unmixed_details(images, scores)
        shift = torch.zeros(len(images), 2, dtype=torch.long, device=images.device)
        return dict(details, shift=shift)

    def _draw_place(
        self, own: Tensor, pasted: Tensor, boxes: Tensor, generator: torch.Generator
    ) -> Tensor:
        """Return top and left of each pasted box, int64 (M, 2)."""
        corner, length = boxes[:, :2], boxes[:, 2:]
        if self.place == 'own':
            return corner
        if self.place == 'over':
            below = object_boxes(own)
            centred = below[:, :2] + (below[:, 2:] - length).div(2, rounding_mode='floor')
            room = length.new_tensor(own.shape[1:]) - length
            return torch.minimum(centred.clamp_min(0), room)
        if self.place == 'random':
            draws = torch.rand(len(own), 2, generator=generator, dtype=torch.float64)
            draws = draws.to(own.device, non_blocking=True)
            rows, columns = (own.size(1 + axis) - length[:, axis] for axis in (0, 1))
            free = torch.stack([rows, columns], dim=1)
            return (draws * (free + 1)).floor().long()
        draws = torch.rand(own.shape, generator=generator).to(own.device, non_blocking=True)
        covered = covered_pixels(own, shift_images(pasted[:, None], -corner)[:, 0])
        for axis, side in enumerate(own.shape[1:]):
            line = torch.arange(side, device=own.device).view((1, -1, 1) if axis == 0 else (1, -1))
            outside = line > side - length[:, axis, None, None]
            covered = covered.masked_fill(outside, own[0].numel() + 1)
        # of equal ones the one with the least draw
        best = (covered + draws).flatten(1).argmin(dim=1)
        return torch.stack([best // own.size(2), best % own.size(2)], dim=1)
