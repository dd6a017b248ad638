"""Co-Mixup: the cells of a group of images are distributed over as many mixes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from mmpretrain.registry import BATCH_AUGMENTS
from torch import Tensor

from mmtmix.checks import check_arguments, check_integer, check_number
from mmtmix.functional import (
    CoMixupSettings,
    blend_batch,
    draw_weights,
    image_affinity,
    load_maxflow,
    pool_saliency,
    solve_co_mixup,
    upsample_cells,
)
from mmtmix.models.draw import Details, Draw
from mmtmix.models.label_rules import GT, LabelRule
from mmtmix.models.saliency import SaliencySource, build_saliency

from .batch_augment import BatchAugment
from .blocks import draw_blocks, read_blocks


@BATCH_AUGMENTS.register_module()
class CoMixup(BatchAugment):
    """`Co-Mixup <https://arxiv.org/abs/2102.03065>`_ of as many images as an output takes.

    The batch is parted into groups, in its order, and each group makes as many mixes as it has
    images: salient cells are shown, neighbours agree, and mixes share little. A mix may have any
    number of images, so k in the details is the largest number in this batch. The image
    with the largest share comes first. A mix of fewer images repeats its first one with masks and
    weights of 0. It needs PyMaxflow, and for its default saliency ``LiveModelHook`` among the
    ``custom_hooks``.

    Args:
        alpha: Parameter of the Dirichlet distribution of the shares that the prior asks for within
            a group, > 0. The public code has 2 and advises less without a clean loss.
        saliency: Source of the saliency, of :mod:`mmtmix.models.saliency`: its name, config or the
            source. By default the input gradient of a model that learns the clean images as well,
            as published.
        block_num: Number of cells per side, >= 1, or a list of numbers, one of which is drawn for
            each batch; 2, 4, 8 and 16 if None.
        group_size: Number of images per group, >= 2; the last group of a batch may have fewer.
        eta: Weight of the prior, >= 0.
        omega: Weight of the distance between salient places in the affinity of images, in [0, 1].
        num_classes: Number of classes, >= 1, for integer labels (N,); None takes scores alone.
        labels: Label rule, see :class:`BatchAugment`; by default the ``weights`` of the details.
        **settings: Fields of :class:`~mmtmix.functional.CoMixupSettings`: ``beta``, ``gamma``,
            ``tau``, ``sweeps`` and ``resolve``.

    Raises:
        ImportError: If PyMaxflow is missing.
        TypeError: If a setting is unknown.
        ValueError: If an argument is out of its range.
    """

    saliency: SaliencySource
    follows_index = False
    gives_saliency = True

    def __init__(
        self,
        alpha: float = 2.0,
        saliency: str | dict | SaliencySource | None = None,
        block_num: int | Sequence[int] | None = 4,
        group_size: int = 20,
        eta: float = 0.05,
        omega: float = 0.001,
        num_classes: int | None = None,
        labels: str | Mapping | LabelRule = GT,
        **settings: Any,
    ):
        if saliency is None:
            saliency = dict(type='InputGradient', clean_lam=1.0)
        self.saliency = build_saliency(saliency)  # first, since a label rule may read it
        super().__init__(2, alpha, num_classes, labels=labels)
        self._blocks = read_blocks(block_num)
        check_integer('group_size', group_size, 2)
        check_number('eta', eta, 0)
        check_number('omega', omega, 0, 1)
        check_arguments('CoMixup', settings, CoMixup, CoMixupSettings)
        self.settings = CoMixupSettings(**settings)
        load_maxflow()  # a run without PyMaxflow ends before it starts
        self.block_num, self.group_size = block_num, group_size
        self.eta, self.omega = eta, omega

    @torch.no_grad()
    def mix(self, images: Tensor, scores: Tensor, draw: Draw) -> tuple[Tensor, Details]:
        """See :meth:`BatchAugment.mix`; weights and partners are the augment's own.

        Of the draw it takes the generator and the own images. It parts these into groups, in
        their order, and makes one mix for each.
        """
        height, width = images.shape[-2:]
        saliency = self.saliency.drawing_from(draw.generator)(images, scores).float()
        self._check_saliency(saliency)
        blocks = draw_blocks(self._blocks, draw.generator)
        pooled = pool_saliency(saliency, (min(blocks, height), min(blocks, width)))
        members = self._groups(draw.index[:, 0].cpu(), len(images))
        shares = self._solve(saliency[:, 0].cpu(), pooled.cpu(), members, draw.generator)
        details = _details(shares.float(), members, (height, width))
        details = {name: value.to(images.device) for name, value in details.items()}
        mixed = blend_batch(images, details['index'], details['masks'])
        if draw.full_details:
            details['saliency'] = saliency[details['index']]
        return mixed, details

    def _groups(self, own: Tensor, num_samples: int) -> Tensor:
        """Return the images of each group, one row each, -1 where a group has no more images."""
        # a group holds no two mixes of one repetition of the batch and of the next
        size = num_samples if len(own) % num_samples == 0 else len(own)
        groups = [group for part in own.split(size) for group in part.split(self.group_size)]
        return torch.nn.utils.rnn.pad_sequence(groups, True, -1)

    def _solve(
        self, saliency: Tensor, pooled: Tensor, members: Tensor, generator: torch.Generator
    ) -> Tensor:
        """Return the images' shares in the cells of the mixes of each group, (G, n, n, h, w)."""
        real = members >= 0
        wanted = torch.zeros(members.shape)
        for row, exists in zip(wanted, real, strict=True):
            count = int(exists.sum())
            # a group of one has no weights to draw
            row[:count] = draw_weights(1, count, self.alpha, generator)[0] if count > 1 else 1.0
        prior = -self.eta / pooled[0].numel() * (wanted + 1e-8).log()
        costs = prior[..., None, None] - pooled[members]
        affinity = image_affinity(saliency[members], real, self.omega)
        return solve_co_mixup(costs, affinity, real, self.settings, generator)[0]


def _details(shares: Tensor, members: Tensor, size: tuple[int, int]) -> Details:
    """Return weights, index and masks of the mixes that exist, from the shares of all groups."""
    group, mix = (members >= 0).nonzero(as_tuple=True)
    shares = shares[group, mix]  # (M, n, h, w)
    if shares.size(1) == 1:  # groups of one image; details have at least two images per mix
        shares = torch.cat([shares, torch.zeros_like(shares)], dim=1)
    amounts = shares.mean(dim=(2, 3))
    most = int((amounts > 0).sum(dim=1).max())
    amounts, image = amounts.topk(max(most, 2), dim=1)
    masks = shares.gather(1, image[..., None, None].expand(-1, -1, *shares.shape[2:]))
    masks = upsample_cells(masks, size)[:, :, None]
    image = torch.where(amounts > 0, image, image[:, :1])
    index = members[group[:, None], image]
    return dict(weights=masks.mean(dim=(2, 3, 4)), index=index, masks=masks)
