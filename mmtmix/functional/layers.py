"""Mixes of images that are laid over the own image, one after another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from math import prod
from operator import mul

import torch
from torch import Tensor

from mmtmix.checks import check_flag

from .masks import layer_masks

Covers = tuple[Tensor, ...]
"""Factors of the covers: their product is the share of what lies below that a partner hides.

Each is (M, k - 1, h, w) with h and w those of the picture or 1. No two factors vary along the same
side, so a box is its rows (M, k - 1, H, 1) times its columns (M, k - 1, 1, W). Factors that are
only 0 or 1 may be bool.
"""

CHUNK_BYTES = 2**20
"""Bytes of images that are mixed at a time on the CPU: what its cache holds."""
CHUNKS_AT_ONCE = 4
"""Number of chunks up to which a batch is mixed as a whole."""


def blend_layers(
    images: Tensor,
    index: Tensor,
    covers: Covers,
    in_order: bool = False,
    visit: Callable[[Tensor], None] | None = None,
) -> Tensor:
    """Lay the partners of each mix over its own image, a later one over the earlier ones.

    Each partner is ``mixed + cover * (partner - mixed)``, which is exact where a cover is 0 or 1.

    Args:
        images: Images of the batch, (N, C, H, W); never written to.
        index: Positions of the images of each mix, own image first, int64 (M, k).
        covers: Factors of the covers of the partners; see :data:`Covers`.
        in_order: Whether the own image of mix i is image i of the batch, and M = N. It saves
            a copy of all own images.
        visit: Function that is called with the own images, part by part while the CPU's cache
            holds them; None calls nothing.

    Returns:
        Mixes, new, (M, C, H, W), in the dtype of the images.

    Raises:
        TypeError: If ``in_order`` is not a bool.
        ValueError: If the shapes don't fit together, or ``in_order`` is True and there are not as
            many mixes as images.
    """
    check_flag('in_order', in_order)
    _check_shapes(images, index, covers)
    if in_order and len(index) != len(images):
        raise ValueError(
            f'in_order must be False for {len(index)} mixes of {len(images)} images; own images '
            'are then found by index[:, 0]'
        )
    own, others = (None if in_order else index[:, 0]), list(index[:, 1:].unbind(1))
    factors = [factor.to(images.dtype).unsqueeze(2) for factor in covers]
    visit = visit or _ignore
    size = _chunk_size(images, factors, len(index))
    if size >= len(index):
        below = images if own is None else images.index_select(0, own)
        visit(below)
        return _lay_over(below, images, others, factors)
    mixed = images.new_empty(len(index), *images.shape[1:])
    source = images
    if _is_box(images, covers):
        # rows are copied from the image that a box shows there; its columns are left to mix
        source, others = images.view(-1, images.size(3)), [_rows_of_box(images, index, covers[0])]
        factors = factors[1:]
    parts = [part.split(size) for part in (mixed, images if own is None else own, *factors)]
    chosen = zip(*(other.split(size) for other in others), strict=True)
    for out, first, *covered, above in zip(*parts, chosen, strict=True):
        below = first if own is None else images.index_select(0, first)
        visit(below)
        _lay_over(below, source, above, covered, out)
    return mixed


def layer_areas(covers: Covers) -> Tensor:
    """Return the share of the picture that each image of a mix has.

    Args:
        covers: Factors of the covers of the partners; see :data:`Covers`.

    Returns:
        Shares, own image first, (M, k), summing to 1.
    """
    if covers[0].size(1) > 1:
        return layer_masks(product(covers)).mean(dim=(2, 3, 4))
    # whole pixels are counted, since shares of them would be rounded
    pixels = prod(size for factor in covers for size in factor.shape[2:])
    covered = product([factor.sum(dim=(2, 3), dtype=torch.float32) for factor in covers])
    return torch.cat([pixels - covered, covered], dim=1) / pixels


def product(factors: Sequence[Tensor]) -> Tensor:
    """Return the product of factors, such as the covers of their factors."""
    return reduce(mul, factors)


def _check_shapes(images: Tensor, index: Tensor, covers: Covers) -> None:
    if images.dim() != 4 or index.dim() != 2 or index.size(1) < 2:
        raise ValueError(
            'images must be (N, C, H, W) and index (M, k), k >= 2; got '
            f'{tuple(images.shape)} and {tuple(index.shape)}'
        )
    layers = (len(index), index.size(1) - 1)
    if not covers or any(factor.shape[:2] != layers for factor in covers):
        raise ValueError(
            f'covers must be factors ({layers[0]}, {layers[1]}, h, w) for an index of shape '
            f'{tuple(index.shape)}, got {[tuple(factor.shape) for factor in covers]}'
        )


def _needs_grad(tensors: Sequence[Tensor]) -> bool:
    return torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors)


def _chunk_size(images: Tensor, factors: Sequence[Tensor], count: int) -> int:
    """Return how many mixes are made at a time: all of them, unless the CPU's cache is small."""
    chunk = CHUNK_BYTES // max(images[:1].nbytes, 1)
    needs_grad = _needs_grad([images, *factors])
    at_once = not images.is_cpu or needs_grad or images.nbytes <= CHUNKS_AT_ONCE * CHUNK_BYTES
    return count if at_once else max(chunk, 1)


def _is_box(images: Tensor, covers: Covers) -> bool:
    """Whether the covers are one box in each image, whose rows can be copied one by one."""
    has_rows = len(covers) == 2 and covers[0].shape[1:] == (1, images.size(2), 1)
    return has_rows and covers[0].dtype == torch.bool and images.is_contiguous()


def _rows_of_box(images: Tensor, index: Tensor, inside: Tensor) -> Tensor:
    """Return which of all rows of a batch each row of a mix shows, int64 (M, C * H)."""
    channels, height = images.shape[1:3]
    shown = torch.where(inside[:, 0, :, 0], index[:, 1:], index[:, :1])
    rows = torch.arange(channels * height, device=index.device).view(channels, height)
    return (shown[:, None] * (channels * height) + rows).flatten(1)


def _ignore(_: Tensor) -> None:
    """Do nothing with images."""


def _lay_over(
    mixed: Tensor,
    source: Tensor,
    others: Sequence[Tensor],
    covers: Sequence[Tensor],
    out: Tensor | None = None,
) -> Tensor:
    """Lay partners over images; each result takes the place of the partner's copy."""
    for i, other in enumerate(others):
        cover = product([factor[:, i] for factor in covers])
        is_last = i == len(others) - 1
        into = out.view(-1, *source.shape[1:]) if is_last and out is not None else None
        partner = torch.index_select(source, 0, other.flatten(), out=into).view(mixed.shape)
        if _needs_grad([partner, cover, mixed]):
            mixed = torch.lerp(mixed, partner, cover)
        else:
            mixed = torch.lerp(mixed, partner, cover, out=partner)
    return mixed
