"""The terms of PuzzleMix: the costs of cells and of neighbours."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from mmtmix.checks import check_integer, check_number, check_numbers

CELL_SCALE = 16
"""The public code scales smoothness by 1 / (16 * blocks per side)."""


def pool_saliency(saliency: Tensor, cells: tuple[int, int]) -> Tensor:
    """Pool saliency to cells that sum to 1 per image.

    Args:
        saliency: Saliency >= 0 of any size, (N, 1, h, w).
        cells: Number of rows and of columns of the grid.

    Returns:
        Saliency of the cells, float32 (N, rows, columns). An image without saliency has the same
        everywhere. NaN and infinity stay visible: their image has NaN.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range.
    """
    check_numbers('cells', cells, 2, 1, whole=True)
    pooled = F.adaptive_avg_pool2d(saliency.float(), cells)[:, 0]
    total = pooled.sum(dim=(1, 2), keepdim=True)
    even = torch.full_like(pooled, 1 / (cells[0] * cells[1]))
    shares = pooled / total.clamp_min(torch.finfo(torch.float32).tiny)
    # not by total > 0, which would hide NaN
    return torch.where(total <= 0, even, shares)


def binomial_prior(share: Tensor, num_labels: int, eps: float = 1e-8) -> Tensor:
    """Return ``-log p(l)`` of the labels l ~ B(L - 1, share), as the public code has it.

    Args:
        share: Share that the own image should get, in [0, 1], (N,).
        num_labels: Number of labels L, >= 2.
        eps: Number > 0 that is added to the probabilities, for a finite logarithm.

    Returns:
        Cost of each label, (N, L).

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range.
    """
    check_integer('num_labels', num_labels, 2)
    check_number('eps', eps, above=0)
    trials = num_labels - 1
    hits = torch.arange(num_labels, device=share.device, dtype=share.dtype)
    ways = share.new_tensor([float(math.comb(trials, hit)) for hit in range(num_labels)])
    share = share[:, None]
    return -(ways * share**hits * (1 - share) ** (trials - hits) + eps).log()


def edge_differences(first: Tensor, second: Tensor, cells: tuple[int, int]) -> tuple[Tensor, ...]:
    """Return mean colour differences along edges of cells of one image and cells of another.

    Args:
        first: Pooled pixels of the image in the upper or left cell, (N, C, rows * a, columns * b)
            for whole a and b.
        second: Pooled pixels of the image in the lower or right cell, of the same shape.
        cells: Number of rows and of columns of the grid.

    Returns:
        Differences across the edges below, (N, rows - 1, columns), and to the right,
        (N, rows, columns - 1).

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range.
    """
    check_numbers('cells', cells, 2, 1, whole=True)
    rows, columns = cells
    a, b = first.size(2) // rows, first.size(3) // columns
    down = (first[:, :, a - 1 : -1 : a] - second[:, :, a::a]).abs().mean(dim=1)
    right = (first[..., b - 1 : -1 : b] - second[..., b::b]).abs().mean(dim=1)
    if b > 1:
        down = down.unflatten(2, (columns, b)).mean(dim=3)
    if a > 1:
        right = right.unflatten(1, (rows, a)).mean(dim=2)
    return down, right


def pool_colours(images: Tensor, cells: tuple[int, int], neigh_size: int) -> Tensor:
    """Pool pixels to squares of about ``neigh_size``, a whole number of them per cell.

    Args:
        images: Images, (N, C, H, W).
        cells: Number of rows and of columns of the grid.
        neigh_size: Side in pixels, >= 1, of the squares that are compared across an edge.

    Returns:
        Pooled pixels, (N, C, rows * a, columns * b).

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range.
    """
    check_numbers('cells', cells, 2, 1, whole=True)
    check_integer('neigh_size', neigh_size, 1)
    (rows, columns), (height, width) = cells, images.shape[-2:]
    down = rows * max(1, height // rows // neigh_size)
    right = columns * max(1, width // columns // neigh_size)
    return F.adaptive_avg_pool2d(images, (down, right))


def puzzle_terms(
    saliency: Tensor,
    colours: Tensor,
    index: Tensor,
    share: Tensor,
    beta: float,
    gamma: float,
    eta: float,
    num_labels: int,
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the costs of labels of the cells (PuzzleMix, Section 4.1), for :func:`cut_grids`.

    Label l gives a cell the share z = l / (L - 1) of the own image. The saliency of the rest is
    lost:

    ``E = sum_p z_p s'_p + (1 - z_p) s_p + eta / n * prior(l_p)``
    ``  + sum_pq b * [(z_p - z_q)^2 + gamma * d_pq(z_p, z_q)]``

    with n cells, b = beta / (16 sqrt(n)), and d_pq the colour difference across the edge between
    what is shown in p and in q. As in the public code d is parted into terms of one cell and a
    multiple of (z_p - z_q)^2, which for shares 0 and 1 is exact but for a constant.

    Args:
        saliency: Saliency of the batch's cells, summing to 1 per image, (N, rows, columns).
        colours: Colours of the batch from :func:`pool_colours`, in [0, 1] but for a constant.
        index: Positions of the two images of each mix, own first, int64 (M, 2).
        share: Share that the own image should get, in [0, 1], (M,).
        beta: Smoothness of labels, >= 0.
        gamma: Smoothness of colours, >= 0.
        eta: Weight of the prior, >= 0.
        num_labels: Number of labels L, >= 2.

    Returns:
        Costs (M, L, rows, columns), weights below (M, rows - 1, columns) and to the right
        (M, rows, columns - 1), >= 0.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range.
    """
    for name, value in dict(beta=beta, gamma=gamma, eta=eta).items():
        check_number(name, value, 0)
    check_integer('num_labels', num_labels, 2)
    num_cells = saliency[0].numel()
    smooth = beta / math.sqrt(num_cells) / CELL_SCALE
    cells = saliency.shape[1:]
    by_shown, bends = _colour_terms(colours, index, cells)
    # showing an image loses the saliency of the other
    lost = saliency.index_select(0, index.flip(1).t().flatten()).view(2, -1, *cells)
    by_own, by_other = by_shown.mul_(smooth * gamma) + lost
    shares = torch.linspace(0, 1, num_labels, device=saliency.device)[:, None, None]
    unary = (shares * by_own[:, None]).add_((1 - shares) * by_other[:, None])
    prior = eta / num_cells * binomial_prior(share, num_labels)
    # a gamma beyond 1 could make a weight negative, which no cut solves
    down, right = (bend.mul_(gamma).add_(1).clamp_min_(0).mul_(smooth) for bend in bends)
    return unary + prior[..., None, None], down, right


def _colour_terms(
    colours: Tensor, index: Tensor, cells: torch.Size
) -> tuple[Tensor, list[Tensor]]:
    """Part colour differences into costs of showing an image in a cell and of changing over.

    With d_ab the difference across an edge of image a to image b, a cell pays half of what its
    edges cost beside either image, and ``(d_10 + d_01 - d_11 - d_00) / 2`` is for the change.

    Returns:
        Costs of showing the own image and the other one, (2, M, rows, columns), and those of
        changing over across the edges below and to the right. All are new.
    """
    rows, columns = cells
    num_images, pair = len(colours), index.t()
    every = torch.arange(num_images, device=index.device)
    # each image beside itself, own beside other, and other beside own, all in one call
    beside = torch.cat([every, pair.flatten()]), torch.cat([every, pair.flip(0).flatten()])
    first, second = (colours.index_select(0, images) for images in beside)
    by_shown = colours.new_zeros(2, len(index), rows, columns)
    bends = []
    for axis, edges in enumerate(edge_differences(first, second, (rows, columns)), 2):
        within, across = edges[:num_images], edges[num_images:].unflatten(0, (2, -1))
        # d11 and d00, d10 and d01
        same, size = within.index_select(0, pair.flatten()).view_as(across), edges.size(axis - 1)
        by_shown.narrow(axis, 0, size).add_(across + same, alpha=0.5)
        by_shown.narrow(axis, 1, size).add_(across.flip(0) + same, alpha=0.5)
        bends.append((across[0] + across[1]).sub_(same[0]).sub_(same[1]).div_(2))
    return by_shown, bends
