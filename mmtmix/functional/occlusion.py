"""Images of which a share of the patches is hidden."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from mmtmix.checks import check_integer, check_number


def hide_patches(inputs: Tensor, order: Tensor, share: float, fill: float = 0.0) -> Tensor:
    """Return images whose first patches in an order are filled (Naseer et al., 2021, section 3.1).

    Args:
        inputs: Images, (N, C, H, W).
        order: Value of each patch of a grid, (N, g, g); those with the smallest are hidden.
        share: Share of the patches that is hidden, 0 to 1, rounded to whole patches.
        fill: Value that fills them, for normalised images 0: the mean of the training images.

    Returns:
        Images, (N, C, H, W).

    Raises:
        ValueError: If the share is out of its range, or the grid is finer than the pixels.
    """
    check_number('share', share, 0, 1)
    count, grid = len(order), order.size(-1)
    if min(inputs.shape[-2:]) < grid:
        raise ValueError(
            f'grid must be at most the side of the images, {min(inputs.shape[-2:])} pixels, got '
            f'{grid}'
        )
    hidden = torch.zeros(count, grid * grid, dtype=inputs.dtype, device=inputs.device)
    first = order.flatten(1).argsort(dim=1, stable=True)[:, : round(share * grid * grid)]
    hidden.scatter_(1, first.to(inputs.device), 1.0)
    mask = F.interpolate(hidden.view(count, 1, grid, grid), inputs.shape[-2:], mode='nearest')
    return torch.where(mask > 0, torch.full_like(inputs, fill), inputs)


def centre_order(grid: int) -> Tensor:
    """Return the distance of each patch from the centre, in patches, (grid, grid).

    Args:
        grid: Number of patches per side, >= 1.

    Raises:
        ValueError: If the number is out of its range.
    """
    check_integer('grid', grid, 1)
    place = torch.arange(grid) - (grid - 1) / 2
    return (place[:, None] ** 2 + place**2).sqrt()
