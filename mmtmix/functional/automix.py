"""AutoMix's loss on the area of masks, and the momentum of its encoder."""

from __future__ import annotations

import math

from torch import Tensor

from mmtmix.checks import check_number


def mask_area_loss(masks: Tensor, weights: Tensor, margin: float = 0.0) -> Tensor:
    """Return how far the areas of masks are from their shares (AutoMix, section 4.2).

    The loss is ``max(|mean(mask) - weight| - margin, 0)``, averaged over the k images of a mix.

    Args:
        masks: Masks in [0, 1], summing to 1 over k, (N, k, 1, H, W).
        weights: Shares of the images, rows on the simplex, (N, k).
        margin: Difference that costs nothing, epsilon in the paper, in [0, 1].

    Returns:
        Loss of each mix, (N,), in [0, 1].

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range.
    """
    check_number('margin', margin, 0, 1)
    off = (masks.mean(dim=(2, 3, 4)) - weights).abs()
    return (off - margin).clamp(min=0).mean(dim=1)


def cosine_momentum(progress: float, start: float, end: float = 1.0) -> float:
    """Return a momentum that rises along half a cosine (BYOL, Grill et al. 2020, section 3.3).

    Args:
        progress: Share of the training that is done, in [0, 1].
        start: Momentum at the start, in [0, 1].
        end: Momentum at the end, in [0, 1].

    Returns:
        Momentum ``end - (end - start) (cos(pi progress) + 1) / 2``.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range.
    """
    for name, value in dict(progress=progress, start=start, end=end).items():
        check_number(name, value, 0, 1)
    return end - (end - start) * (math.cos(math.pi * progress) + 1) / 2
