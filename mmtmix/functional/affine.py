"""theta -> grid -> warp, for the k images of every mix in one call."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from mmtmix.checks import check_choice, check_integer

PADDING_MODES = ('zeros', 'border', 'reflection')


def identity_theta(num_samples: int, num_mix: int, like: Tensor | None = None) -> Tensor:
    """The affine parameters that change nothing.

    Args:
        num_samples: N.
        num_mix: k.
        like: A tensor whose dtype and device the result takes.

    Returns:
        theta of shape (N, k, 2, 3).

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range.
    """
    check_integer('num_samples', num_samples, 0)
    check_integer('num_mix', num_mix, 1)
    dtype, device = (like.dtype, like.device) if like is not None else (None, None)
    theta = torch.eye(2, 3, dtype=dtype, device=device)
    return theta.expand(num_samples, num_mix, 2, 3).clone()


def warp(images: Tensor, theta: Tensor, padding_mode: str = 'zeros') -> Tensor:
    """Warp each image by its affine parameters (Jaderberg et al. 2015; TransformMix, Eq. 1).

    Bilinear with ``align_corners=False``. Outside of an image lie zeros by default, which is
    the mean colour of normalised inputs.

    Args:
        images: (N, k, C, H, W).
        theta: (N, k, 2, 3) in the terms of :func:`torch.nn.functional.affine_grid`: from
            normalised output coordinates to normalised input coordinates.
        padding_mode: ``'zeros'``, ``'border'`` or ``'reflection'``.

    Returns:
        The warped images, (N, k, C, H, W), in the dtype of ``images``.

    Raises:
        ValueError: If ``padding_mode`` is none of the three.
    """
    check_choice('padding_mode', padding_mode, PADDING_MODES)
    # at least float32, under autocast too: in bfloat16 a coordinate of a 256-pixel picture is off
    # by a pixel
    dtype = torch.promote_types(images.dtype, torch.float32)
    flat = images.flatten(0, 1).to(dtype)
    with torch.autocast(images.device.type, enabled=False):
        grid = F.affine_grid(theta.flatten(0, 1).to(dtype), list(flat.shape), align_corners=False)
        warped = F.grid_sample(
            flat, grid, mode='bilinear', padding_mode=padding_mode, align_corners=False
        )
    return warped.to(images.dtype).view_as(images)


def corner_shift(theta: Tensor) -> Tensor:
    """How far a warp moves the corners of an image, as a share of the image's side.

    Args:
        theta: (N, k, 2, 3).

    Returns:
        Mean distance over the four corners, (N, k); 0 for the identity.
    """
    corners = torch.tensor([[-1, 1, -1, 1], [-1, -1, 1, 1], [1, 1, 1, 1]], device=theta.device)
    moved = theta - identity_theta(theta.size(0), theta.size(1), like=theta)
    # normalised coordinates run over 2 from side to side
    return (moved @ corners.to(theta.dtype)).norm(dim=2).mean(dim=2) / 2
