"""PuzzleMix: masks by graph cuts; salient parts of the images move into their masks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from mmengine.logging import print_log
from mmpretrain.registry import BATCH_AUGMENTS
from torch import Tensor

from mmtmix.checks import check_flag, check_integer, check_number
from mmtmix.functional import (
    blend,
    blend_batch,
    cut_grids,
    load_maxflow,
    move_cells,
    pool_colours,
    pool_saliency,
    puzzle_terms,
    transport_plan,
    upsample_cells,
)
from mmtmix.models.draw import Details, Draw
from mmtmix.models.label_rules import GT, LabelRule
from mmtmix.models.saliency import SaliencySource, build_saliency
from mmtmix.models.teachers import InputStats, Renormalize

from .batch_augment import BatchAugment
from .blocks import draw_blocks, read_blocks

USUAL_STD = 64.0
"""In 0-255 units, near that of CIFAR and ImageNet."""


@BATCH_AUGMENTS.register_module()
class PuzzleMix(BatchAugment):
    """`PuzzleMix <https://arxiv.org/abs/2009.06962>`_ of two images.

    Each cell gets a share of the two images such that little saliency is lost, neighbours agree
    and colours join. One graph cut solves the whole batch exactly. With ``transport``, cells of
    each image then move to where its mask shows them. ``weights`` in the details are the areas of
    the masks, and labels follow them. It needs PyMaxflow, and for its default saliency
    ``LiveModelHook`` among the ``custom_hooks``.

    The defaults are those that the public code trains with on CIFAR-100. Its settings elsewhere:

    - Tiny-ImageNet: ``t_size=-1``, ``saliency=dict(type='InputGradient', clean_lam=1.0)``.
    - ImageNet: ``beta=1.5``, ``neigh_size=2``, ``t_size=-1``, the same saliency for its first 40
      of 100 epochs.
    - OpenMixup on Tiny-ImageNet (AutoMix's protocol): ``t_size=-1``, ``block_num=[2, 4, 8]``.

    Ours: weights are drawn per sample. The public code draws one per batch (``per_sample=False``).

    Args:
        num_mix: Number of images per mix, 2; there are no cuts of more images.
        alpha: Parameter of the Beta distribution of the weights that the prior asks for, > 0.
        saliency: Source of the saliency, of :mod:`mmtmix.models.saliency`: its name, config or the
            source.
        block_num: Number of cells per side, >= 1, or a list of numbers, one of which is drawn for
            each batch; 2, 4, 8 and 16 if None. Sides of fewer pixels have one cell per pixel.
        beta: Smoothness of labels, >= 0.
        gamma: Smoothness of colours, >= 0.
        eta: Weight of the prior, >= 0.
        n_labels: Number of shares that a cell can have, >= 2: 3 are 0, 1/2 and 1.
        neigh_size: Side in pixels, >= 1, of the squares that are averaged before colours are
            compared across an edge of cells.
        transport: Whether salient cells move into their masks.
        t_size: Side in pixels of the cells that move, where blocks are larger; -1 moves whole
            blocks. Memory grows with their number squared.
        t_eps: Cost of distance, >= 0.
        input_stats: Normalisation of the images, ``dict(std=[...])`` in 0-255 units, for
            comparing colours. By default that of the running config, and outside of a run a
            standard deviation of 64.
        num_classes: Number of classes, >= 1, for integer labels (N,); None takes scores alone.
        per_sample: Whether each mix draws weights of its own; False draws one row per batch.
        labels: Label rule, see :class:`BatchAugment`; by default the ``weights`` of the details.

    Raises:
        ImportError: If PyMaxflow is missing.
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range.
    """

    saliency: SaliencySource
    gives_saliency = True

    def __init__(
        self,
        num_mix: int = 2,
        alpha: float = 1.0,
        saliency: str | dict | SaliencySource = 'InputGradient',
        block_num: int | Sequence[int] | None = None,
        beta: float = 1.2,
        gamma: float = 0.5,
        eta: float = 0.2,
        n_labels: int = 3,
        neigh_size: int = 4,
        transport: bool = True,
        t_size: int = 4,
        t_eps: float = 0.8,
        input_stats: dict | InputStats | None = None,
        num_classes: int | None = None,
        per_sample: bool = True,
        labels: str | Mapping | LabelRule = GT,
    ):
        self.saliency = build_saliency(saliency)  # first, since a label rule may read it
        super().__init__(num_mix, alpha, num_classes, per_sample, labels)
        check_integer('num_mix', num_mix, 2, 2, cure='PuzzleMix mixes two images')
        for name, value in dict(beta=beta, gamma=gamma, eta=eta, t_eps=t_eps).items():
            check_number(name, value, 0)
        check_integer('n_labels', n_labels, 2)
        check_integer('neigh_size', neigh_size, 1)
        check_flag('transport', transport)
        self._blocks = read_blocks(block_num)
        if t_size != -1:
            check_integer('t_size', t_size, 1, cure='it is in pixels; -1 moves whole blocks')
        self._stats = None if input_stats is None else _std_of(input_stats)
        load_maxflow()  # a run without PyMaxflow ends before it starts
        self.block_num = block_num
        self.terms: dict[str, Any] = dict(beta=beta, gamma=gamma, eta=eta, num_labels=n_labels)
        self.neigh_size = neigh_size
        self.transport, self.t_size, self.t_eps = transport, t_size, t_eps
        self._to_range: Renormalize | None = None

    @torch.no_grad()
    def mix(self, images: Tensor, scores: Tensor, draw: Draw) -> tuple[Tensor, Details]:
        """See :meth:`BatchAugment.mix`."""
        saliency = self.saliency.drawing_from(draw.generator)(images, scores)
        self._check_saliency(saliency)
        blocks = draw_blocks(self._blocks, draw.generator)
        height, width = images.shape[-2:]
        cells = (min(blocks, height), min(blocks, width))
        pooled = pool_saliency(saliency, cells)
        own = self._own_shares(images, pooled, draw)
        shares = torch.stack([own, 1 - own], dim=1)
        masks = upsample_cells(shares, (height, width))[:, :, None]
        details = dict(weights=masks.mean(dim=(2, 3, 4)), masks=masks)
        if draw.full_details:
            details['saliency'] = saliency[draw.index]
        if not self.transport:
            return blend_batch(images, draw.index, masks), details
        parts = self._parts(images, shares)
        if parts != (1, 1):
            pooled = pool_saliency(saliency, (cells[0] * parts[0], cells[1] * parts[1]))
        plan = self._plan(pooled, draw.index, shares, parts)
        warped = _moved(images, draw.index, plan)
        mixed = blend(warped, masks.to(warped.dtype))
        return mixed, dict(details, warped=warped, plan=plan)

    def warp_sources(self, images: Tensor, details: Details) -> Tensor:
        """See :meth:`BatchAugment.warp_sources`."""
        if not self.transport:
            return super().warp_sources(images, details)
        return _moved(images, details['index'], details['plan'])

    def unmixed_details(self, images: Tensor, scores: Tensor) -> Details:
        """See :meth:`BatchAugment.unmixed_details`; each cell stays."""
        details = super().unmixed_details(images, scores)
        if self.transport:
            details['plan'] = torch.zeros_like(details['index'])[..., None, None]
        return details

    def _own_shares(self, images: Tensor, pooled: Tensor, draw: Draw) -> Tensor:
        """Return the share of the own image in each cell of each mix, (M, rows, columns)."""
        rows, columns = pooled.shape[1:]
        colours = pool_colours(self._coloured(images), (rows, columns), self.neigh_size)
        terms = puzzle_terms(pooled, colours, draw.index, draw.weights[:, 0], **self.terms)
        return cut_grids(*terms) / (self.terms['num_labels'] - 1)

    def _plan(
        self, pooled: Tensor, index: Tensor, shares: Tensor, parts: tuple[int, int]
    ) -> Tensor:
        """Return the cell that each cell of each image takes, int64 (M, 2, rows, columns)."""
        rows, columns = pooled.shape[1:]
        shown = shares > 0
        for dim, part in enumerate(parts, 2):
            shown = shown if part == 1 else shown.repeat_interleave(part, dim=dim)
        rounds = max(rows, columns)
        # the images of all mixes in one call
        pooled = pooled.index_select(0, index.flatten())
        plan = transport_plan(pooled, shown.flatten(0, 1), self.t_eps, rounds)
        return plan.view(*index.shape, rows, columns)

    def _parts(self, images: Tensor, shares: Tensor) -> tuple[int, int]:
        """Return how many cells that move a block has along its height and its width."""
        if self.t_size == -1:
            return 1, 1
        (height, width), (rows, columns) = images.shape[-2:], shares.shape[-2:]
        return max(1, height // rows // self.t_size), max(1, width // columns // self.t_size)

    def _coloured(self, images: Tensor) -> Tensor:
        """Return colours in units of the full range; their mean cancels in comparisons."""
        # read in each call, since a run may have begun or ended in between
        stats = self._stats or _running_stats()
        if self._to_range is None or self._to_range.source != stats:
            print_log(
                f'PuzzleMix assumes images that are normalised by a std of {stats.std}', 'current'
            )
            self._to_range = Renormalize(stats, InputStats(std=(255.0,)), swap=False)
        return self._to_range(images.float())


def _moved(images: Tensor, index: Tensor, plan: Tensor) -> Tensor:
    """Return the images of each mix with their cells moved by a plan, (M, 2, C, H, W)."""
    return move_cells(images, index, plan.flatten(2), (plan.size(2), plan.size(3)))


def _std_of(input_stats: Mapping | InputStats) -> InputStats:
    is_readable = isinstance(input_stats, (Mapping, InputStats))
    stats = InputStats.from_dict(input_stats) if is_readable else InputStats()
    if not stats.std:
        raise ValueError(
            'input_stats must be dict(std=[...]), one number per channel or one for all, in 0-255 '
            f'units, got {input_stats!r}'
        )
    return InputStats(std=stats.std)


def _running_stats() -> InputStats:
    try:
        stats = InputStats.of_running_task()
    except ValueError as error:
        raise ValueError(
            'PuzzleMix compares colours, and the running config has no normalisation of the '
            'images; set input_stats=dict(std=[...]) in it, in 0-255 units'
        ) from error
    return InputStats(std=(USUAL_STD,) if stats is None else stats.std)
