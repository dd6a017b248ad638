"""Masks that part a map by its height."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor

from mmtmix.checks import check_number

DIGITS, BITS = 3, 8
FEW_PIXELS = 256


def level_masks(maps: Tensor, weights: Tensor) -> Tensor:
    """Give each image the pixels between two heights of a map, as many as its share.

    The sample's own image has the highest ones (FMix: the top lam * H * W pixels), the
    next image the next ones.

    Args:
        maps: Any finite values, (N, H, W). Equal ones go to the same image; on the CPU those
            within 2^-24 of a map's range count as equal.
        weights: Shares (N, k) of the images, own first.

    Returns:
        One-hot float32 masks of shape (N, k, 1, H, W), whose areas are the weights but for
        rounding to whole pixels.
    """
    height, width = maps.shape[-2:]
    flat = maps.flatten(1)
    counts = (weights.cumsum(dim=1)[:, :-1] * flat.size(1)).round().long()
    few = not flat.is_cpu or flat.size(1) <= FEW_PIXELS
    heights, find = (flat, _nth_by_sort) if few else (_steps(flat), _nth_by_counts)
    above = [(heights >= find(heights, counts[:, i, None])).float() for i in range(counts.size(1))]
    masks = [above[0], *(high - low for low, high in pairwise(above)), 1 - above[-1]]
    return torch.stack(masks, dim=1).view(len(maps), -1, 1, height, width)


def soft_level_masks(maps: Tensor, lam: Tensor, max_soft: float) -> Tensor:
    """As :func:`level_masks` for two images, with an edge that falls off by rank.

    Args:
        maps: Any finite values, (N, H, W).
        lam: Shares (N,) of the samples' own images.
        max_soft: Share of the pixels to each side of the edge that belong to both images; of a
            small share at most all of it.

    Returns:
        float32 masks of shape (N, 2, 1, H, W), whose areas are the shares but for rounding to
        whole pixels.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range.
    """
    check_number('max_soft', max_soft, 0, 0.5)
    flat = maps.flatten(1)
    pixels, lam = flat.size(1), lam[:, None]
    rank = flat.argsort(dim=1, descending=True).argsort(dim=1)
    count = (lam * pixels).round()
    soft = (torch.minimum(lam, 1 - lam).clamp_max(max_soft) * pixels).floor()
    # rounding of the count must not push the edge out of the picture
    soft = torch.minimum(soft, torch.minimum(count, pixels - count))
    ramp = 1 - (rank - (count - soft)) / (2 * soft - 1).clamp_min(1)
    own = torch.where(soft > 0, ramp.clamp(0, 1), (rank < count).float())
    return torch.stack([own, 1 - own], dim=1).view(len(maps), 2, 1, *maps.shape[-2:])


def _nth_by_sort(rows: Tensor, count: Tensor) -> Tensor:
    """The ``count``-th largest value of each row, (N, 1); above all for a count of 0."""
    ordered = rows.sort(dim=1, descending=True).values
    found = ordered.gather(1, (count - 1).clamp_min(0))
    return torch.where(count > 0, found, torch.inf)


def _steps(rows: Tensor) -> Tensor:
    """Bring each row's range to whole numbers of ``DIGITS`` digits of ``BITS`` bits, int32."""
    low = rows.amin(dim=1, keepdim=True)
    span = (rows.amax(dim=1, keepdim=True) - low).clamp_min(torch.finfo(rows.dtype).tiny)
    return ((rows - low) / span * (2 ** (DIGITS * BITS) - 1)).int()


def _nth_by_counts(steps: Tensor, count: Tensor) -> Tensor:
    """As :func:`_nth_by_sort` for :func:`_steps`, several times faster on the CPU.

    It finds one digit after another, from the highest, by counting.
    """
    below = (steps.size(1) - count).int()
    found = torch.zeros_like(below)
    for digit in reversed(range(DIGITS)):
        # what differs in a higher digit counts as below or above all that don't
        digits = (steps >> digit * BITS).sub_(found << BITS).clamp_(-1, 2**BITS).add_(1)
        counts = torch.zeros(len(steps), 2**BITS + 2, dtype=torch.int32)
        counts.scatter_add_(1, digits.long(), counts.new_ones(()).expand_as(digits))
        ends = counts.cumsum(dim=1, dtype=torch.int32)
        own = torch.searchsorted(ends, below, right=True, out_int32=True) - 1
        found = (found << BITS) + own
    return found
