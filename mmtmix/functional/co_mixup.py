"""Co-Mixup: distribute the cells of a group of images over as many mixes."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from .co_mixup_costs import CoMixupSettings, co_mixup_objective, duplicate_costs, excess
from .graph_cut import move_labels

SOFT_BONUS = 5e-4
"""Discount of the public code on the cost of a cell that shows two images by halves."""
NEVER = 1e3
"""Cost above all that the objective's terms can save."""


def solve_co_mixup(
    costs: Tensor,
    affinity: Tensor,
    real: Tensor,
    settings: CoMixupSettings,
    generator: torch.Generator | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Distribute the cells of the images of each group over as many mixes (Co-Mixup, Algorithm 1).

    The labels start at random. Then one mix after the other is labelled anew while the others
    stay, so that the supermodular term is linear. From the second sweep on a cell may show two
    images of its mix by halves. In the last sweep, mixes of the same images have to drop one each.
    All groups are solved at the same time, and a group that no longer changes is left as it is. If
    the end is worse than the start, the best labels of all sweeps are returned.

    Args:
        costs: Cost of each image in each cell, (G, n, h, w).
        affinity: Affinity of the images, (G, n, n).
        real: Whether each image, and so its mix, exists, bool (G, n).
        settings: Settings of the objective and the sweeps.
        generator: Source of the labels at the start, on the CPU.

    Returns:
        Shares (G, n mixes, n images, h, w), float64 on the CPU, empty for mixes that don't exist;
        and the objective at the start and at the end, (G,).

    Raises:
        ImportError: If PyMaxflow is missing.
    """
    costs, affinity, real = costs.detach().cpu().double(), affinity.cpu().double(), real.cpu()
    there = real[:, :, None, None]
    finite = torch.where(there, costs, torch.zeros_like(costs))
    costs = torch.where(there, costs, costs.new_tensor(NEVER))
    shares = _random_start(real, costs.shape[2:], generator)
    first = value = co_mixup_objective(shares, finite, affinity, settings)
    best, best_value = shares, value
    extra = torch.zeros_like(shares[..., 0, 0])
    active = torch.ones_like(real[:, 0])
    for sweep in range(settings.sweeps):
        shares = _sweep(shares, costs, affinity, extra, active & real.T, settings, sweep > 0)
        if sweep == settings.sweeps - 2 and settings.resolve:
            extra = duplicate_costs(shares.sum(dim=(3, 4)))
        before, value = value, co_mixup_objective(shares, finite, affinity, settings)
        is_best = value < best_value
        best = torch.where(is_best[:, None, None, None, None], shares, best)
        best_value = torch.where(is_best, value, best_value)
        active = active & ((before - value).abs() >= 1e-6 * value.abs())
        if not active.any():
            break
    failed = value > first
    shares = torch.where(failed[:, None, None, None, None], best, shares)
    return shares, first, torch.where(failed, best_value, value)


def _random_start(
    real: Tensor, cells: tuple[int, ...], generator: torch.Generator | None
) -> Tensor:
    """Return a random image of its group in each cell of each mix that exists."""
    count = real.sum(dim=1)[:, None, None, None]
    image = (torch.rand(*real.shape, *cells, generator=generator) * count).long()
    shares = F.one_hot(image, real.size(1)).permute(0, 1, 4, 2, 3).double()
    return shares * real[:, :, None, None, None]


def _sweep(
    shares: Tensor,
    costs: Tensor,
    affinity: Tensor,
    extra: Tensor,
    active: Tensor,
    settings: CoMixupSettings,
    halves: bool,
) -> Tensor:
    """Label each mix anew, in turn, in all groups where it is active, (n, G)."""
    shares = shares.clone()
    cells = costs.size(2) * costs.size(3)
    amounts = shares.sum(dim=(3, 4))
    for mix in range(shares.size(1)):
        others = (amounts.sum(dim=1) - amounts[:, mix])[:, None]
        crowding = excess(affinity, others, settings.tau * cells)[:, 0]
        linear = settings.gamma / cells * (2 * crowding + extra[:, mix])
        found = _label(
            costs + linear[:, :, None, None], amounts[:, mix], settings.beta / cells, halves
        )
        shares[:, mix] = torch.where(active[mix][:, None, None, None], found, shares[:, mix])
        amounts[:, mix] = shares[:, mix].sum(dim=(2, 3))
    return shares


def _label(costs: Tensor, amounts: Tensor, smooth: float, halves: bool) -> Tensor:
    """Return the cheapest shares of one mix per group that moves find, (G, n, h, w)."""
    kinds, prices = _label_kinds(amounts, halves)
    unary = torch.einsum('gln,gnhw->glhw', kinds, costs) + prices[..., None, None]
    kinds, unary = _affordable(kinds, unary, 4 * smooth)
    square = kinds.square().sum(dim=2)
    distance = square[:, :, None] + square[:, None] - 2 * kinds @ kinds.transpose(1, 2)
    labels = move_labels(unary, smooth / 2 * distance.clamp_min(0), unary.argmin(dim=1))
    chosen = kinds.gather(1, labels.flatten(1)[..., None].expand(-1, -1, kinds.size(2)))
    return chosen.transpose(1, 2).reshape(costs.shape)


def _label_kinds(amounts: Tensor, halves: bool) -> tuple[Tensor, Tensor]:
    """Return what a cell may show: one image, or halves of two of the mix's three largest.

    Returns:
        Shares (G, L, n) and prices (G, L). Labels that don't exist have a price too high.
    """
    num_images = amounts.size(1)
    single = torch.eye(num_images, dtype=amounts.dtype).expand(len(amounts), -1, -1)
    prices = amounts.new_zeros(single.shape[:2])
    if not halves or num_images < 2:
        return single, prices
    top, image = amounts.topk(min(3, num_images), dim=1)
    a, b = torch.combinations(torch.arange(top.size(1))).T
    pairs = (F.one_hot(image[:, a], num_images) + F.one_hot(image[:, b], num_images)) / 2
    exists = (top[:, a] > 0) & (top[:, b] > 0)
    price = torch.where(exists, -SOFT_BONUS, NEVER).to(amounts.dtype)
    return torch.cat([single, pairs.to(single.dtype)], dim=1), torch.cat([prices, price], dim=1)


def _affordable(kinds: Tensor, unary: Tensor, slack: float) -> tuple[Tensor, Tensor]:
    """Drop labels that cost more than another in every cell, even with all edges against it."""
    margin = (unary - unary.amin(dim=1, keepdim=True)).flatten(2).amin(dim=2)
    count = int((margin <= slack).sum(dim=1).max())
    kept = margin.topk(count, dim=1, largest=False).indices
    kinds = kinds.gather(1, kept[..., None].expand(-1, -1, kinds.size(2)))
    shape = (-1, -1, *unary.shape[2:])
    return kinds, unary.gather(1, kept[..., None, None].expand(shape))
