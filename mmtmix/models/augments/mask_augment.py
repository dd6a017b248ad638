"""Augments that leave images where they are, and define masks alone."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping

import torch
from torch import Tensor

from mmtmix.functional import (
    Covers,
    blend_batch,
    blend_layers,
    layer_areas,
    layer_masks,
    product,
)
from mmtmix.models.draw import Details, Draw
from mmtmix.models.label_rules import GT, LabelRule
from mmtmix.models.late_verdict import finite_sum
from mmtmix.models.saliency import SaliencySource, build_saliency
from mmtmix.models.teachers import FrozenTeacher

from .batch_augment import BatchAugment


class MaskAugment(BatchAugment):
    """Mix by masks over the images as they are.

    ``weights`` in the details, which labels follow, are the areas of the masks.
    """

    def mix(self, images: Tensor, scores: Tensor, draw: Draw) -> tuple[Tensor, Details]:
        """See :meth:`BatchAugment.mix`."""
        return self.mix_by_masks(images, draw, self.masks(images, scores, draw))

    @abstractmethod
    def masks(self, images: Tensor, scores: Tensor, draw: Draw) -> Tensor:
        """Return the masks of the mixes.

        Args:
            images: Images of the batch, (N, C, H, W); never written to.
            scores: Labels of the batch, (N, num_classes), floating point.
            draw: Draw of M mixes.

        Returns:
            Masks (M, k, 1, H, W), or broadcastable to it, that sum to 1 over k.
        """

    def mix_by_masks(self, images: Tensor, draw: Draw, masks: Tensor) -> tuple[Tensor, Details]:
        """Blend the images of each mix by its masks.

        Args:
            images: Images of the batch, (N, C, H, W).
            draw: Draw of M mixes.
            masks: Masks as :meth:`masks` returns them.

        Returns:
            Mixes and details, as :meth:`mix` returns them.
        """
        mixed = blend_batch(images, draw.index, masks)
        size = images.shape[-2:]
        return mixed, dict(
            masks=masks.expand(-1, -1, -1, *size), weights=masks.mean(dim=(2, 3, 4))
        )


class LayerAugment(MaskAugment):
    """Mix by laying partners over the own image, a later one over the earlier ones.

    It is faster than mixing by masks, which are made for the details of a call alone.
    """

    @property
    def checks_while_mixing(self) -> bool:
        """See :attr:`BatchAugment.checks_while_mixing`; a subclass's own ``mix`` may not check."""
        return type(self).mix is LayerAugment.mix

    def mix(self, images: Tensor, scores: Tensor, draw: Draw) -> tuple[Tensor, Details]:
        """See :meth:`BatchAugment.mix`."""
        covers, size = self.covers(images, scores, draw), images.shape[-2:]
        sums: list[Tensor] = []
        if draw.in_order:
            # images are summed up while the cache holds them
            mixed = blend_layers(
                images, draw.index, covers, True, lambda part: sums.append(finite_sum(part))
            )
            self._check_finite.judge_sums(sums, [images.shape])
        else:
            mixed = blend_layers(images, draw.index, covers)
        details = dict(weights=self.areas(covers, draw))
        if draw.full_details:
            details['masks'] = self.masks_of(covers, draw).expand(-1, -1, -1, *size)
        return mixed, details

    def masks(self, images: Tensor, scores: Tensor, draw: Draw) -> Tensor:
        """See :meth:`MaskAugment.masks`."""
        return self.masks_of(self.covers(images, scores, draw), draw)

    @abstractmethod
    def covers(self, images: Tensor, scores: Tensor, draw: Draw) -> Covers:
        """Return how much each partner hides of what lies below it.

        Args:
            images: Images of the batch, (N, C, H, W); never written to.
            scores: Labels of the batch, (N, num_classes), floating point.
            draw: Draw of M mixes.

        Returns:
            Factors of the covers, each (M, k - 1, H or 1, W or 1); see
            :data:`~mmtmix.functional.layers.Covers`.
        """

    def areas(self, covers: Covers, draw: Draw) -> Tensor:
        """Return the shares of the images in each mix, (M, k), which labels follow."""
        return layer_areas(covers)

    def masks_of(self, covers: Covers, draw: Draw) -> Tensor:
        """Return the masks that covers amount to, as :meth:`masks` does."""
        return layer_masks(product(covers))


class SaliencyMaskAugment(MaskAugment):
    """Mix by masks that follow from the saliency of each image.

    The details have ``saliency`` (N, k, 1, h, w) as well, as the source returned it.

    Args:
        saliency: Source of :mod:`mmtmix.models.saliency`: its name, ``dict(type=..., ...)`` or
            the source itself.
        num_mix: Number of images per mix, k >= 2.
        alpha: Parameter of the Dirichlet distribution of the weights, > 0.
        num_classes: Number of classes, >= 1, for integer labels (N,); None takes scores alone.
        per_sample: Whether each mix draws weights of its own; False draws one row per batch.
        labels: Label rule, see :class:`BatchAugment`.

    Raises:
        TypeError: If ``saliency`` is no source.
        ValueError: If an argument is out of its range.
    """

    saliency: SaliencySource
    gives_saliency = True

    def __init__(
        self,
        saliency: str | Mapping | SaliencySource,
        num_mix: int = 2,
        alpha: float = 1.0,
        num_classes: int | None = None,
        per_sample: bool = True,
        labels: str | Mapping | LabelRule = GT,
    ):
        self.saliency = build_saliency(saliency)  # first, since a label rule may read it
        super().__init__(num_mix, alpha, num_classes, per_sample, labels)

    def mix(self, images: Tensor, scores: Tensor, draw: Draw) -> tuple[Tensor, Details]:
        """See :meth:`BatchAugment.mix`."""
        saliency = self._saliency_of(images, scores, draw)
        masks = self.salient_masks(saliency, draw, images.shape[-2:])
        mixed, details = self.mix_by_masks(images, draw, masks)
        return mixed, dict(details, saliency=saliency[draw.index])

    def masks(self, images: Tensor, scores: Tensor, draw: Draw) -> Tensor:
        """See :meth:`MaskAugment.masks`."""
        saliency = self._saliency_of(images, scores, draw)
        return self.salient_masks(saliency, draw, images.shape[-2:])

    @abstractmethod
    def salient_masks(self, saliency: Tensor, draw: Draw, size: torch.Size) -> Tensor:
        """Return masks that follow from saliency.

        Args:
            saliency: Saliency of the images of the batch, (N, 1, h, w).
            draw: Draw of M mixes.
            size: Height and width of the images in pixels.

        Returns:
            Masks (M, k, 1, H, W) that sum to 1 over k.
        """

    def _saliency_of(self, images: Tensor, scores: Tensor, draw: Draw) -> Tensor:
        saliency = self.saliency.drawing_from(draw.generator)(images, scores)
        self._check_saliency(saliency)
        return saliency


def saliency_of(
    teacher: dict | FrozenTeacher | None, saliency: str | Mapping | SaliencySource | None
) -> str | Mapping | SaliencySource:
    """Return the source of an augment that takes either a teacher or any source.

    Args:
        teacher: Arguments of a teacher whose class activation maps are the saliency, or a
            teacher, or None.
        saliency: Source of the saliency: its name, config or the source, or None.

    Raises:
        ValueError: If both are given, or neither.
    """
    if (teacher is None) == (saliency is None):
        raise ValueError(
            'give either a teacher, dict(config=..., checkpoint=...), or another source of '
            f'saliency, got teacher={teacher!r} and saliency={saliency!r}'
        )
    return dict(type='TeacherCAM', teacher=teacher) if saliency is None else saliency
