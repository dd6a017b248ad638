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
LEAST = 1e-6
NEIGHBOURS = tuple((y, x) for y in (-1, 0, 1) for x in (-1, 0, 1) if y or x)


def colour_evidence(
    images: Tensor,
    saliency: Tensor,
    bandwidth: float = 0.4,
    rounds: int = 3,
    num_anchors: int = 64,
) -> Tensor:
    """Return how likely each pixel belongs to the salient object, by its colour and its place.

    Inside and outside of the object have a density of colours each, a kernel estimate over pixels
    on a regular grid, the anchors ``a``. With the saliency ``s`` as the first guess ``z``, every
    round computes at each pixel ``u``

    ``z(u) = sigmoid(logit s(u) + log(p(u) + 1e-6) - log(q(u) + 1e-6))``,

    ``p(u) = sum_a k(u, a) z(a) / max(sum_a z(a), 1e-3)``,

    ``q(u) = sum_a k(u, a) (1 - z(a)) / max(sum_a (1 - z(a)), 1e-3)``,

    ``k(u, a) = exp(-|x(u) - x(a)|^2 / (2 bandwidth^2))``.

    By the 1e-6, a colour that no anchor has is no evidence. The 1e-3 keeps a density finite whose
    anchors have next to no share. GrabCut (Rother et al. 2004) alternates in the same way, with
    Gaussian mixtures, and with a graph cut in place of the sigmoid.

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
    rows, columns = (
        torch.arange((side - 1) % step // 2, side, step, device=images.device) for side in size
    )
    places = (rows[:, None] * size[1] + columns).flatten()
    pixels = images.float().flatten(2).transpose(1, 2)  # (N, H W, C)
    prior = prior.flatten(1)
    # a distance is a small difference of large numbers, of which autocast's rounding leaves little
    with torch.autocast(images.device.type, enabled=False):
        kernel = _colour_kernel(pixels, pixels[:, places], bandwidth)  # (N, H W, anchors)
        at_anchors = kernel[:, places]
        found = prior[:, places].sigmoid()
        for _ in range(rounds - 1):
            found = _posterior(prior[:, places], at_anchors, found)
        return _posterior(prior, kernel, found).view(-1, 1, *size)


def _colour_kernel(pixels: Tensor, anchors: Tensor, bandwidth: float) -> Tensor:
    """Return the kernel between the colours of pixels (N, P, C) and anchors (N, A, C)."""
    squares = pixels.square().sum(2, keepdim=True) + anchors.square().sum(2).unsqueeze(1)
    distances = torch.baddbmm(squares, pixels, anchors.transpose(1, 2), alpha=-2).clamp_min_(0)
    return distances.mul_(-0.5 / bandwidth**2).exp_()


def _posterior(prior: Tensor, kernel: Tensor, inside: Tensor) -> Tensor:
    """Return probabilities (N, P) for logits (N, P), by the anchors' probabilities (N, A)."""
    shares = torch.stack([inside, 1 - inside], dim=2)
    densities = torch.bmm(kernel, shares) / shares.sum(dim=1, keepdim=True).clamp_min(FLAT)
    logs = (densities + LEAST).log()
    return (prior + logs[..., 0] - logs[..., 1]).sigmoid()


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
    over the neighbours. They are the eight pixels at each of the ``dilations``. The image is
    continued by its border.

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
    # neighbour by neighbour, since all of them at once do not fit a CPU's cache
    around = [each - pixels for each in _neighbours(pixels, dilations)]
    count = len(around)
    total, squares = torch.zeros_like(pixels), torch.zeros_like(pixels)
    for each in around:
        total += each
        squares += each * each
    sigma = ((squares - total * total / count) / (count - 1)).clamp_min(0).sqrt()
    scale = -1 / (contrast * (sigma + FLAT) * pixels.size(1))
    weights = torch.stack([(each.abs() * scale).sum(dim=1, keepdim=True) for each in around])
    weights = weights.softmax(dim=0)
    for _ in range(rounds):
        near = zip(_neighbours(maps, dilations), weights, strict=True)
        maps = sum((each * weight for each, weight in near), torch.zeros_like(maps))
    return maps


def _neighbours(maps: Tensor, dilations: Sequence[int]) -> list[Tensor]:
    """Return the values at each neighbour of all pixels, views (N, C, H, W)."""
    height, width = maps.shape[-2:]
    reach = max(dilations)
    padded = F.pad(maps, (reach,) * 4, mode='replicate')
    return [
        padded[..., reach + y * d :, reach + x * d :][..., :height, :width]
        for d in dilations
        for y, x in NEIGHBOURS
    ]
