"""The costs of Co-Mixup: of the cells of images in mixes, and of mixes that share images."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from mmtmix.checks import check_flag, check_integer, check_number


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
    saliency. Images with salient places far apart are shown in different mixes less often.

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
    """Return the cost of the mixes of each group, as Co-Mixup's public code defines it.

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
    """Return the crowding ``h(A o)`` by other mixes.

    Args:
        affinity: Affinity A of the images, (G, n, n).
        amounts: Amounts o of the images in the other mixes, (G, mixes, n).
        threshold: Crowding up to which it is free, >= 0.

    Returns:
        Crowding of each image, (G, mixes, n); 0 up to the threshold.
    """
    crowding = (affinity.unsqueeze(1) * amounts.unsqueeze(-2)).sum(dim=-1)
    return torch.where(crowding > threshold, crowding, torch.zeros_like(crowding))


def duplicate_costs(amounts: Tensor) -> Tensor:
    """Return extra costs for mixes of the very same images, two or more of them.

    The costs make the earlier mix of a pair drop its first image, and the later one its second.

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
