"""The eight orientations of a square: flips, and the two axes exchanged."""

from __future__ import annotations

import torch
from torch import Tensor


def orient(maps: Tensor, orientation: Tensor) -> Tensor:
    """Exchange the axes of maps, then flip them, each sample as it says.

    Args:
        maps: Square maps, (N, ..., s, s).
        orientation: bool (N, 3): whether the axes are exchanged, whether left and right and
            whether top and bottom are flipped.

    Returns:
        The maps, (N, ..., s, s).
    """
    exchanged, horizontal, vertical = _like(orientation, maps)
    maps = torch.where(exchanged, maps.transpose(-1, -2), maps)
    maps = torch.where(horizontal, maps.flip(-1), maps)
    return torch.where(vertical, maps.flip(-2), maps)


def orient_back(maps: Tensor, orientation: Tensor) -> Tensor:
    """Undo :func:`orient`."""
    exchanged, horizontal, vertical = _like(orientation, maps)
    maps = torch.where(vertical, maps.flip(-2), maps)
    maps = torch.where(horizontal, maps.flip(-1), maps)
    return torch.where(exchanged, maps.transpose(-1, -2), maps)


def orient_theta_back(theta: Tensor, orientation: Tensor) -> Tensor:
    """What a warp of oriented images is to the images as they were.

    Args:
        theta: (N, k, 2, 3), in the terms of :func:`torch.nn.functional.affine_grid`.
        orientation: As of :func:`orient`.

    Returns:
        theta' (N, k, 2, 3) with ``warp(x, theta') == orient_back(warp(orient(x), theta))``.
    """
    # an oriented map at p shows the map at R p, where R flips and then exchanges the axes: this is
    # R A R^T and R t without products of matrices, which autocast would round
    signs = 1 - 2 * orientation[:, 1:].to(theta.dtype)
    columns = torch.cat([signs, torch.ones_like(signs[:, :1])], dim=1)
    flipped = theta * signs[:, None, :, None] * columns[:, None, None, :]
    # a list as an index would make the host wait for a GPU
    exchanged = torch.cat([flipped[..., :2].flip(2, 3), flipped[..., 2:].flip(2)], dim=3)
    return torch.where(orientation[:, 0, None, None, None], exchanged, flipped)


def _like(orientation: Tensor, maps: Tensor) -> tuple[Tensor, ...]:
    shape = (len(orientation), *[1] * (maps.dim() - 1))
    return tuple(column.view(shape) for column in orientation.unbind(1))
