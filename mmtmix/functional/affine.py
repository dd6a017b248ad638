"""Affine warps and orientations, for the k images of every mix in one call."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from mmtmix.checks import check_choice, check_integer

PADDING_MODES = ('zeros', 'border', 'reflection')


def identity_theta(num_samples: int, num_mix: int, like: Tensor | None = None) -> Tensor:
    """Return the affine parameters of the identity.

    Args:
        num_samples: Number of samples N, >= 0.
        num_mix: Number of images per mix k, >= 1.
        like: Tensor whose dtype and device the result takes.

    Returns:
        Parameters theta, (N, k, 2, 3).

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range.
    """
    check_integer('num_samples', num_samples, 0)
    check_integer('num_mix', num_mix, 1)
    dtype, device = (like.dtype, like.device) if like is not None else (None, None)
    theta = torch.eye(2, 3, dtype=dtype, device=device)
    return theta.expand(num_samples, num_mix, 2, 3).clone()


def warp(
    images: Tensor, theta: Tensor, padding_mode: str = 'zeros', size: int | None = None
) -> Tensor:
    """Warp each image by its affine parameters (Jaderberg et al. 2015; TransformMix, Eq. 1).

    Bilinear with ``align_corners=False``. Outside of an image lie zeros by default, which is
    the mean colour of normalised inputs.

    Args:
        images: Images, (N, k, C, H, W).
        theta: Parameters (N, k, 2, 3), as of :func:`torch.nn.functional.affine_grid`: from
            normalised output coordinates to normalised input coordinates.
        padding_mode: Content outside of an image: ``'zeros'``, ``'border'`` or ``'reflection'``.
        size: Side of the square results in pixels, >= 1; None for the size of the images.

    Returns:
        The warped images, (N, k, C, H, W) or (N, k, C, size, size), in the dtype of ``images``.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If ``padding_mode`` is none of the three, or ``size`` is not positive.
    """
    check_choice('padding_mode', padding_mode, PADDING_MODES)
    if size is not None:
        check_integer('size', size, 1)
    # at least float32, under autocast too: in bfloat16 a coordinate of a 256-pixel picture is off
    # by a pixel
    dtype = torch.promote_types(images.dtype, torch.float32)
    flat = images.flatten(0, 1).to(dtype)
    with torch.autocast(images.device.type, enabled=False):
        shape = list(flat.shape) if size is None else [*flat.shape[:2], size, size]
        grid = F.affine_grid(theta.flatten(0, 1).to(dtype), shape, align_corners=False)
        warped = F.grid_sample(
            flat, grid, mode='bilinear', padding_mode=padding_mode, align_corners=False
        )
    return warped.to(images.dtype).unflatten(0, images.shape[:2])


def corner_shift(theta: Tensor) -> Tensor:
    """Return how far a warp moves the corners of an image, as a share of the image's side.

    Args:
        theta: Parameters of the warp, (N, k, 2, 3).

    Returns:
        Mean distance over the four corners, (N, k); 0 for the identity.
    """
    corners = torch.tensor([[-1, 1, -1, 1], [-1, -1, 1, 1], [1, 1, 1, 1]], device=theta.device)
    moved = theta - identity_theta(theta.size(0), theta.size(1), like=theta)
    # normalised coordinates run over 2 from side to side
    return (moved @ corners.to(theta.dtype)).norm(dim=2).mean(dim=2) / 2


def orient(maps: Tensor, orientation: Tensor) -> Tensor:
    """Exchange the axes of maps, then flip them, as each sample's orientation states.

    Args:
        maps: Square maps, (N, ..., s, s).
        orientation: Orientation of each sample, bool (N, 3): whether the axes are exchanged,
            whether left and right are flipped, and whether top and bottom are.

    Returns:
        Oriented maps, (N, ..., s, s).
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
    """Return the warp of the original images that equals a warp of the oriented ones.

    Args:
        theta: Parameters (N, k, 2, 3), as of :func:`torch.nn.functional.affine_grid`.
        orientation: Orientation of each sample, as of :func:`orient`.

    Returns:
        Parameters theta', (N, k, 2, 3), with
        ``warp(x, theta') == orient_back(warp(orient(x), theta))``.
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
