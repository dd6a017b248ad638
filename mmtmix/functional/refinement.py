"""Coarse saliency, sharpened by the colours of the image."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from mmtmix.checks import check_integer, check_number, check_numbers

from .saliency import min_max, resize_map

MARGIN = 0.02
FLAT = 1e-3
NEIGHBOURS = tuple((y, x) for y in (-1, 0, 1) for x in (-1, 0, 1) if y or x)


def colour_evidence(
    images: Tensor,
    saliency: Tensor,
    bandwidth: float = 0.25,
    rounds: int = 3,
    num_anchors: int = 256,
) -> Tensor:
    """Return how likely each pixel belongs to the salient object, by its colour and its place.

    Inside and outside of the object have a density of colours each, a kernel estimate over pixels
    on a regular grid, the anchors ``a``. With the saliency ``s`` as the first guess ``z``, every
    round computes at each pixel ``u``

    ``z(u) = sigmoid(logit s(u) + log sum_a k(u, a) z(a) / sum_a z(a)
    - log sum_a k(u, a) (1 - z(a)) / sum_a (1 - z(a)))``,

    ``k(u, a) = exp(-|x(u) - x(a)|^2 / (2 bandwidth^2))``. GrabCut (Rother et al. 2004) alternates
    in the same way, with Gaussian mixtures, and with a graph cut in place of the sigmoid.

    Args:
        images: Images, normalised, (N, C, H, W).
        saliency: Maps >= 0 of any size, (N, 1, h, w). Each is scaled to [0.02, 0.98].
        bandwidth: Standard deviation of the kernel, > 0, in units of the images.
        rounds: Number of rounds, >= 1.
        num_anchors: Most pixels that densities are estimated from, >= 1.

    Returns:
        Probabilities, float32 (N, 1, H, W).

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range.
    """
    check_number('bandwidth', bandwidth, above=0)
    check_integer('rounds', rounds, 1)
    check_integer('num_anchors', num_anchors, 1)
    size = (images.size(-2), images.size(-1))
    prior = min_max(resize_map(saliency.float(), size)).clamp(MARGIN, 1 - MARGIN).logit()
    step = 1
    while -(-size[0] // step) * -(-size[1] // step) > num_anchors:
        step += 1
    start = [(side - 1) % step // 2 for side in size]
    colours = images.float().flatten(2).transpose(1, 2)
    anchors = images[..., start[0] :: step, start[1] :: step].float().flatten(2)
    distances = colours.square().sum(2, keepdim=True) + anchors.square().sum(1, keepdim=True)
    distances = torch.baddbmm(distances, colours, anchors, alpha=-2).clamp_min(0)
    kernel = distances.mul_(-0.5 / bandwidth**2).exp_()  # (N, H W, anchors)
    found = prior.sigmoid()
    for _ in range(rounds):
        inside = found[..., start[0] :: step, start[1] :: step].flatten(1)
        densities = [
            torch.bmm(kernel, share[..., None]).view_as(prior)
            / share.sum(dim=1).clamp_min(FLAT)[:, None, None, None]
            for share in (inside, 1 - inside)
        ]
        # a colour that no anchor has says nothing
        evidence = (densities[0] + 1e-6).log() - (densities[1] + 1e-6).log()
        found = (prior + evidence).sigmoid()
    return found


def spread_by_colour(
    images: Tensor,
    maps: Tensor,
    rounds: int = 10,
    dilations: Sequence[int] = (1, 2, 4),
    contrast: float = 0.1,
) -> Tensor:
    """Average maps over neighbours of the same colour, so that they follow the edges of objects.

    Pixel-adaptive mask refinement (Araslanov & Roth, CVPR 2020, https://arxiv.org/abs/2005.08104).
    The weights of the neighbours ``v`` of a pixel ``u`` are the softmax over ``v`` of
    ``-mean_c |x_c(u) - x_c(v)| / (contrast * sigma_c(u))``, with the standard deviation ``sigma``
    over the neighbours. They are the eight pixels at each of the ``dilations``; the image is continued
    by its border.

    Args:
        images: Images, normalised, (N, C, H, W).
        maps: Maps of the images' size, (N, 1, H, W).
        rounds: Number of averages, >= 0.
        dilations: Distances of the neighbours in pixels, each >= 1.
        contrast: Divisor of the colours' differences, > 0; the lower, the sharper the edges.

    Returns:
        Maps, float32 (N, 1, H, W), in the range of ``maps``.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range.
    """
    check_integer('rounds', rounds, 0)
    check_numbers('dilations', dilations, least=1, whole=True)
    check_number('contrast', contrast, above=0)
    maps = maps.float()
    if rounds == 0:
        return maps
    pixels = images.float()
    around = _neighbours(pixels, dilations)
    scale = contrast * (around.std(dim=1, keepdim=True) + FLAT)
    weights = ((around - pixels[:, None]).abs() / -scale).mean(dim=2, keepdim=True).softmax(dim=1)
    for _ in range(rounds):
        maps = (_neighbours(maps, dilations) * weights).sum(dim=1)
    return maps


def _neighbours(maps: Tensor, dilations: Sequence[int]) -> Tensor:
    """Return the values at all neighbours of each pixel, (N, 8 * len(dilations), C, H, W)."""
    height, width = maps.shape[-2:]
    reach = max(dilations)
    # more than the image's side is no valid padding of other modes than this
    padded = F.pad(maps, (reach,) * 4, mode='replicate')
    return torch.stack(
        [
            padded[..., reach + y * d :, reach + x * d :][..., :height, :width]
            for d in dilations
            for y, x in NEIGHBOURS
        ],
        dim=1,
    )
