"""Statistics of how mixes are made, each a scalar on the device of its input."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def warp_statistics(theta: Tensor) -> dict[str, Tensor]:
    """Return mean and spread of the scale, shift and rotation of affine warps.

    A spread of 0 means that all images of the batch are warped alike. The spread is the standard
    deviation over the batch, for the images in each place of a mix by themselves.

    Args:
        theta: Parameters (N, k, 2, 3), as of :func:`torch.nn.functional.affine_grid`: from the
            coordinates of the result, in [-1, 1], to those of the image.

    Returns:
        Scalars by name. ``theta_scale`` is the side of the part of an image that a warp shows, in
        sides of the image: below 1 it enlarges. ``theta_shift`` is the distance by which it moves
        the centre, in sides of the image. ``theta_rotation`` is the angle in degrees, without
        sign. ``theta_scale_spread``, ``theta_shift_spread`` and ``theta_rotation_spread`` are
        their standard deviations.
    """
    theta = theta.float()
    (a, b, x), (c, d, y) = (row.unbind(-1) for row in theta.unbind(-2))
    scale = (a * d - b * c).abs().sqrt()
    shift = torch.stack([x, y], dim=-1) / 2  # coordinates have a range of 2
    angle = torch.atan2(c - b, a + d)
    sine, cosine = angle.sin().mean(dim=0), angle.cos().mean(dim=0)
    middle = torch.atan2(sine, cosine)
    turn = (angle - middle + math.pi).remainder(2 * math.pi) - math.pi
    return dict(
        theta_scale=scale.mean(),
        theta_shift=shift.norm(dim=-1).mean(),
        theta_rotation=angle.abs().mean().rad2deg(),
        theta_scale_spread=scale.var(dim=0, correction=0).mean().sqrt(),
        theta_shift_spread=shift.var(dim=0, correction=0).sum(dim=-1).mean().sqrt(),
        theta_rotation_spread=turn.square().mean().sqrt().rad2deg(),
    )


def image_share(theta: Tensor) -> Tensor:
    """Return the share of warps' deviation from the identity that differs from image to image.

    It is the variance of theta over the batch, divided by the mean square of its deviation from
    the identity. It is 0 where all images are warped alike, and where nothing is warped.

    Args:
        theta: Parameters (N, k, 2, 3), of warps that differ by their images alone: predicted with
            the same weights and noise.

    Returns:
        A scalar in [0, 1].
    """
    moved = theta.float() - torch.eye(2, 3, device=theta.device)
    total = moved.square().mean()
    return moved.var(dim=0, correction=0).mean() / total.clamp_min(1e-12)


def mask_entropy(masks: Tensor) -> Tensor:
    """Return how evenly the pixels of mixes are shared: 0 for hard masks, 1 for plain averages.

    Args:
        masks: Masks that sum to 1 over k, (N, k, 1, H, W), k >= 2.

    Returns:
        Mean entropy of a pixel's shares, divided by log(k); a scalar in [0, 1].
    """
    masks = masks.float()
    return -torch.special.xlogy(masks, masks).sum(dim=1).mean() / math.log(masks.size(1))
