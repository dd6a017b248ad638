"""Masks whose area should be the share in the label."""

from __future__ import annotations

from torch import Tensor

from mmtmix.checks import check_number


def mask_area_loss(masks: Tensor, weights: Tensor, margin: float = 0.0) -> Tensor:
    """How far masks are from covering their share (AutoMix, section 4.2).

    It is ``max(|mean(mask) - weight| - margin, 0)``, averaged over the k images of a mix.

    Args:
        masks: In [0, 1], summing to 1 over k, (N, k, 1, H, W).
        weights: Shares, rows on the simplex, (N, k).
        margin: What a mask may be off for free, epsilon in the paper, in [0, 1].

    Returns:
        (N,), in [0, 1].

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range.
    """
    check_number('margin', margin, 0, 1)
    off = (masks.mean(dim=(2, 3, 4)) - weights).abs()
    return (off - margin).clamp(min=0).mean(dim=1)
