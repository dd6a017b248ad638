"""Masks from noisy saliency, with nothing learned."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from mmpretrain.registry import BATCH_AUGMENTS
from torch import Tensor

from mmtmix.checks import check_choice, check_integer, check_number
from mmtmix.functional import area_shares, resize_map, softmax_masks, square_maps
from mmtmix.models.draw import Draw
from mmtmix.models.label_rules import GT, LabelRule
from mmtmix.models.saliency import SaliencySource
from mmtmix.models.teachers import FrozenTeacher

from .mask_augment import SaliencyMaskAugment, saliency_of

ANCHORS = ('area', 'weights', 'none')


@BATCH_AUGMENTS.register_module()
class CAMMix(SaliencyMaskAugment):
    """Mix by the softmax of noisy saliency over the images of each mix.

    It is the mixer ``softmax_cam`` of docs/evidence.md without its search: no module is learned,
    and none is read. TransformMix's Table 4 has the softmax of CAMs as its simplest part, there
    without noise and weights. The masks are

    ``M_i(u) = softmax_i((S_i(u) + noise * e_i(u)) / temperature + b_i)``

    with the saliency S in [0, 1], and e from N(0, 1) on a coarse grid that is enlarged. Every
    image of every mix has a grid of its own. Anchoring determines b.

    Args:
        teacher: Arguments of :class:`~mmtmix.models.teachers.FrozenTeacher`, or a teacher, whose
            class activation maps are the saliency.
        saliency: Source of the saliency in place of a teacher: its name, config or the source.
            Any scale will do, since each map is scaled to [0, 1].
        temperature: Softness of the masks, > 0. Low ones make hard edges, high ones Mixup.
        noise: Standard deviation, >= 0, of the noise that is added to the saliency. Without it,
            equal weights always show the same parts of two images.
        noise_size: Side of the grid of the noise, >= 1; the larger, the finer.
        anchor: Tie of the masks to the drawn weights. ``'area'`` sets b such that the area of
            each mask is its weight. ``'weights'`` takes the logarithm of the weight, as
            TransformMixer's ``anchored`` does. ``'none'`` ignores the weights.
        mask_size: Side of the maps of which masks are made, in cells, >= 1. The masks are then
            enlarged to the images. None takes the longer side of the images.
        num_mix: Number of images per mix, k >= 2.
        alpha: Parameter of the Dirichlet distribution of the weights, > 0.
        num_classes: Number of classes, >= 1, for integer labels (N,); None takes scores alone.
        per_sample: Whether each mix draws weights of its own; False draws one row per batch.
        labels: Label rule, see :class:`BatchAugment`; by default the ``weights`` of the details.

    Raises:
        FileNotFoundError: At the first call, if the teacher's files do not exist.
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range, or there is not exactly one of teacher and
            saliency.
    """

    def __init__(
        self,
        teacher: dict | FrozenTeacher | None = None,
        saliency: str | Mapping | SaliencySource | None = None,
        temperature: float = 0.5,
        noise: float = 0.5,
        noise_size: int = 4,
        anchor: str = 'area',
        mask_size: int | None = 16,
        num_mix: int = 2,
        alpha: float = 1.0,
        num_classes: int | None = None,
        per_sample: bool = True,
        labels: str | Mapping | LabelRule = GT,
    ):
        source = saliency_of(teacher, saliency)
        check_number('temperature', temperature, above=0)
        check_number(
            'noise', noise, 0, cure='it is a standard deviation beside saliency in [0, 1]'
        )
        check_integer('noise_size', noise_size, 1)
        check_choice('anchor', anchor, ANCHORS)
        if mask_size is not None:
            check_integer('mask_size', mask_size, 1, cure='None takes that of the images')
        self.temperature, self.noise, self.noise_size = temperature, noise, noise_size
        self.anchor, self.mask_size = anchor, mask_size
        super().__init__(source, num_mix, alpha, num_classes, per_sample, labels)

    def draw_noise(self, num_mixes: int, generator: torch.Generator) -> Tensor:
        """Draw the noise of mixes, N(0, 1), (num_mixes, k, noise_size, noise_size)."""
        shape = (num_mixes, self.num_mix, self.noise_size, self.noise_size)
        return torch.randn(shape, generator=generator)

    @torch.no_grad()
    def salient_masks(self, saliency: Tensor, draw: Draw, size: torch.Size) -> Tensor:
        """See :meth:`SaliencyMaskAugment.salient_masks`."""
        height, width = size
        side = self.mask_size or max(height, width)
        maps = square_maps(saliency, side)
        # index_select copies whole maps, several times faster than maps[index] does
        maps = maps.index_select(0, draw.index.flatten()).unflatten(0, draw.index.shape)
        if self.noise > 0:
            noise = self.draw_noise(len(draw.index), draw.generator)
            noise = resize_map(noise.to(maps.device, non_blocking=True), side)
            maps = torch.add(maps, noise.unsqueeze(2), alpha=self.noise)
        if self.anchor == 'area':
            # of the enlarged masks: a cell at the border may count more than others
            shares = torch.outer(area_shares(side, height), area_shares(side, width))
            masks = softmax_masks(maps, draw.weights, self.temperature, shares=shares)
        else:
            factor = float(self.anchor == 'weights')
            masks = softmax_masks(maps, draw.weights, self.temperature, factor)
        return resize_map(masks.squeeze(2), (height, width)).unsqueeze(2)
