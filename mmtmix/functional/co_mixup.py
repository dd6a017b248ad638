"""Co-Mixup: the parts of a group of images are dealt out to as many mixes."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from mmtmix.checks import check_flag, check_integer, check_number

from .graph_cut import move_labels

SOFT_BONUS = 5e-4
"""Discount of the public code on the cost of a cell that shows two images by halves."""
NEVER = 1e3
"""Cost above all that the objective's terms can save."""


@dataclass(frozen=True)
class CoMixupSettings:
    """Weights of the objective and number of sweeps; the defaults are the paper's on CIFAR.

    Attributes:
        beta: Weight of smoothness, >= 0.
        gamma: Weight of diversity, which keeps mixes from sharing images, >= 0.
        tau: Share of a whole image, >= 0, below which crowding is free.
        sweeps: Number of times that all mixes are labelled, >= 1.
        resolve: Whether mixes of the very same images are made to differ in the last sweep.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range.
    """

    beta: float = 0.32
    gamma: float = 1.0
    tau: float = 0.83
    sweeps: int = 4
    resolve: bool = True

    def __post_init__(self) -> None:
        for name in ('beta', 'gamma', 'tau'):
            check_number(name, getattr(self, name), 0)
        check_integer('sweeps', self.sweeps, 1)
        check_flag('resolve', self.resolve)


def image_affinity(saliency: Tensor, real: Tensor, omega: float, window: int = 8) -> Tensor:
    """Return the cost of showing two images in different mixes (Co-Mixup's A_c).

    ``A = (1 - omega) I + omega n D / sum(D)`` with D the L1 distance between the places of most
    saliency. Images that are salient in different places are dealt to different mixes less.

    Args:
        saliency: Saliency of the images of each group, (G, n, h, w).
        real: Whether each image exists, bool (G, n); a group may have fewer than n.
        omega: Weight of the distance, in [0, 1].
        window: Side of the squares whose mean saliency is compared, in pixels.

    Returns:
        Affinity (G, n, n), symmetric; 0 for images that don't exist.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range.
    """
    check_number('omega', omega, 0, 1)
    check_integer('window', window, 1)
    height, width = saliency.shape[-2:]
    smooth = F.avg_pool2d(saliency.float(), (min(window, height), min(window, width)), stride=1)
    place = smooth.flatten(2).argmax(dim=2)
    row, column = place.div(smooth.size(3), rounding_mode='floor'), place % smooth.size(3)
    pairs = (real[:, :, None] & real[:, None]).to(saliency.dtype)
    distance = (row[:, :, None] - row[:, None]).abs() + (
        column[:, :, None] - column[:, None]
    ).abs()
    distance = distance * pairs
    total = distance.sum(dim=(1, 2), keepdim=True).clamp_min(1)
    count = real.sum(dim=1)[:, None, None]
    same = torch.eye(real.size(1), device=saliency.device) * pairs
    return (1 - omega) * same + omega * count * distance / total


def co_mixup_objective(
    shares: Tensor, costs: Tensor, affinity: Tensor, settings: CoMixupSettings
) -> Tensor:
    """Return the cost of the mixes of each group, as Co-Mixup's public code has it.

    ``F = sum_j [sum_p <c_p, z_jp> + beta/2P sum_pq |z_jp - z_jq|^2]``
    ``  + gamma/P sum_j <o_j, h(A sum_{j' != j} o_j')>``

    with P cells and ``o_j = sum_p z_jp`` the amount of each image in mix j. h(x) is x above tau P
    and 0 else. The last term is the supermodular one: it keeps mixes from sharing images.

    Args:
        shares: Share z of each image in each cell, (G, mixes, n, h, w), summing to 1 over n.
        costs: Cost c of each image in each cell, (G, n, h, w).
        affinity: Affinity A of the images, (G, n, n).
        settings: Settings with beta, gamma and tau.

    Returns:
        Cost of each group, (G,).
    """
    cells = costs.size(2) * costs.size(3)
    amounts = shares.sum(dim=(3, 4))
    unary = (costs[:, None] * shares).flatten(1).sum(dim=1)
    steps = sum(shares.diff(dim=dim).square().flatten(1).sum(dim=1) for dim in (3, 4))
    others = amounts.sum(dim=1, keepdim=True) - amounts
    crowding = excess(affinity, others, settings.tau * cells)
    diversity = (amounts * crowding).flatten(1).sum(dim=1)
    return unary + (settings.beta / 2 * steps + settings.gamma * diversity) / cells


def excess(affinity: Tensor, amounts: Tensor, threshold: float) -> Tensor:
    """Return the crowding by others ``h(A o)``, for amounts o (..., n), above the threshold."""
    crowding = (affinity.unsqueeze(1) * amounts.unsqueeze(-2)).sum(dim=-1)
    return torch.where(crowding > threshold, crowding, torch.zeros_like(crowding))


def solve_co_mixup(
    costs: Tensor,
    affinity: Tensor,
    real: Tensor,
    settings: CoMixupSettings,
    generator: torch.Generator | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Deal the cells of the images of each group out to as many mixes (Co-Mixup, Algorithm 1).

    From random labels on, one mix after the other is labelled anew while the others stay. The
    supermodular term is then linear. From the second sweep on a cell may show two images of its
    mix by halves. Before the last sweep, mixes of the same images have to drop one each. Groups
    are solved side by side, and one that changes no more rests. Where the end is worse than the
    start, the best labels on the way are taken.

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


def duplicate_costs(amounts: Tensor) -> Tensor:
    """Return extra costs for mixes of the very same images, two or more of them.

    Of each such pair the earlier mix is to drop its first image, the later one its second.

    Args:
        amounts: Amount of each image in each mix, (G, mixes, n).

    Returns:
        Costs, 0 or 1, (G, mixes, n).
    """
    has = amounts > 0
    same = (has[:, :, None] == has[:, None]).all(dim=3) & (has.sum(dim=2) > 1)[:, :, None]
    later = same.triu(diagonal=1)
    order = has.long().cumsum(dim=2)
    drops_first = has & (order == 1) & later.any(dim=2)[..., None]
    drops_second = has & (order == 2) & later.any(dim=1)[..., None]
    return (drops_first | drops_second).to(amounts.dtype)


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
