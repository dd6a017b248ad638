"""Co-Mixup: the parts of a group of images are dealt out to as many mixes."""

from __future__ import annotations

from collections.abc import Sequence

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
from mmtmix.models.saliency import SaliencySource, build_saliency

from .batch_augment import BatchAugment, Details
from .blocks import draw_blocks, read_blocks


@BATCH_AUGMENTS.register_module()
class CoMixup(BatchAugment):
    """`Co-Mixup <https://arxiv.org/abs/2102.03065>`_ of as many images as an output takes.

    The batch is parted into groups, in its order, and each group makes as many mixes as it has
    images: cells of much saliency are shown, neighbours agree, and mixes share little. There is
    no limit to the images of a mix, so in the details k is the largest number that a mix of this
    batch has; images come with the largest share first, and those that a mix lacks are its first
    with masks and weights of 0. It needs PyMaxflow, and ``LiveModelHook`` among the
    ``custom_hooks`` for its default saliency.

    Args:
        alpha: Dirichlet parameter of what the prior wants of each image of a group, > 0. The
            public code has 2 and advises less without a clean loss.
        saliency: What matters in an image: a name, config or source of
            :mod:`mmtmix.models.saliency`. By default the input gradient of a model that learns
            the clean images as well, as published.
        block_num: Number of cells per side, >= 1, or a list of numbers, one of which is drawn for
            each batch; 2, 4, 8 and 16 if None.
        group_size: Images per group, >= 2; the last group of a batch may have fewer.
        eta: Weight of the prior, >= 0.
        omega: Weight of the distance between salient places in the affinity of images, in [0, 1].
        num_classes: Number of classes, which integer labels (N,) need, >= 1; None takes scores
            alone.
        **settings: Fields of :class:`~mmtmix.functional.CoMixupSettings`: ``beta``, ``gamma``,
            ``tau``, ``sweeps`` and ``resolve``.

    Raises:
        ImportError: If PyMaxflow is missing.
        TypeError: If there is no such setting.
        ValueError: If an argument is out of its range.
    """

    def __init__(
        self,
        alpha: float = 2.0,
        saliency: str | dict | SaliencySource | None = None,
        block_num: int | Sequence[int] | None = 4,
        group_size: int = 20,
        eta: float = 0.05,
        omega: float = 0.001,
        num_classes: int | None = None,
        **settings: float,
    ):
        super().__init__(2, alpha, num_classes)
        self._blocks = read_blocks(block_num)
        check_integer('group_size', group_size, 2)
        check_number('eta', eta, 0)
        check_number('omega', omega, 0, 1)
        check_arguments('CoMixup', settings, CoMixup, CoMixupSettings)
        self.settings = CoMixupSettings(**settings)
        load_maxflow()  # a run without it ends before it starts
        if saliency is None:
            saliency = dict(type='InputGradient', clean_lam=1.0)
        self.saliency = build_saliency(saliency)
        self.block_num, self.group_size = block_num, group_size
        self.eta, self.omega = eta, omega

    @torch.no_grad()
    def mix(
        self,
        batch_inputs: Tensor,
        batch_scores: Tensor,
        weights: Tensor,
        index: Tensor,
        generator: torch.Generator,
    ) -> tuple[Tensor, Details]:
        """See :meth:`BatchAugment.mix`; weights and index are its own.

        Raises:
            ValueError: If other than whole batches of mixes are wanted.
        """
        num_samples, size = len(batch_inputs), batch_inputs.shape[-2:]
        repeat, rest = divmod(len(index), num_samples)
        if rest:
            raise ValueError(
                f'CoMixup makes as many mixes as images, got {num_samples} images for '
                f'{len(index)} mixes; ask for a multiple'
            )
        saliency = self.saliency(batch_inputs, batch_scores).float()
        self._check_saliency(saliency)
        blocks = draw_blocks(self._blocks, generator)
        pooled = pool_saliency(saliency, (min(blocks, size[0]), min(blocks, size[1])))
        # one row a group; -1 where the last of a batch has no more images
        members = torch.arange(num_samples).split(self.group_size)
        members = torch.nn.utils.rnn.pad_sequence(members, True, -1).repeat(repeat, 1)
        shares = self._solve(saliency[:, 0].cpu(), pooled.cpu(), members, generator)
        details = _details(shares.float(), members, size)
        details = {name: value.to(batch_inputs.device) for name, value in details.items()}
        return blend_batch(batch_inputs, details['index'], details['masks']), details

    def _solve(
        self, saliency: Tensor, pooled: Tensor, members: Tensor, generator: torch.Generator
    ) -> Tensor:
        """The shares of the images of each group in the cells of its mixes, (G, n, n, h, w)."""
        real = members >= 0
        wanted = torch.zeros(members.shape)
        for row, there in zip(wanted, real, strict=True):
            count = int(there.sum())
            # a group of one has nothing to choose
            row[:count] = draw_weights(1, count, self.alpha, generator)[0] if count > 1 else 1.0
        prior = -self.eta / pooled[0].numel() * (wanted + 1e-8).log()
        costs = prior[..., None, None] - pooled[members]
        affinity = image_affinity(saliency[members], real, self.omega)
        return solve_co_mixup(costs, affinity, real, self.settings, generator)[0]


def _details(shares: Tensor, members: Tensor, size: tuple[int, int]) -> Details:
    """Weights, index and masks of the mixes that there are, from the shares of all groups."""
    group, mix = (members >= 0).nonzero(as_tuple=True)
    shares = shares[group, mix]  # (M, n, h, w)
    amounts = shares.mean(dim=(2, 3))
    most = int((amounts > 0).sum(dim=1).max())
    amounts, image = amounts.topk(max(most, 2), dim=1)
    masks = shares.gather(1, image[..., None, None].expand(-1, -1, *shares.shape[2:]))
    masks = upsample_cells(masks, size)[:, :, None]
    image = torch.where(amounts > 0, image, image[:, :1])
    index = members[group[:, None], image]
    return dict(weights=masks.mean(dim=(2, 3, 4)), index=index, masks=masks)
