"""Exact labellings of many small grids by one maximum flow; needs the optional PyMaxflow."""

from __future__ import annotations

import importlib
from functools import lru_cache
from types import ModuleType

import torch
from torch import Tensor


def load_maxflow() -> ModuleType:
    """The library that cuts graphs.

    Raises:
        ImportError: If it isn't installed.
    """
    try:
        return importlib.import_module('maxflow')
    except ImportError as error:
        raise ImportError(
            'this mixer cuts graphs with PyMaxflow, which cannot be imported '
            f"({error}); install it: pip install PyMaxflow, or pip install 'mmtmix[puzzle]'"
        ) from error


def cut_grids(unary: Tensor, down: Tensor, right: Tensor) -> Tensor:
    """Label the cells of N grids at the least energy there is.

    The labels 0..L-1 stand for the shares l / (L - 1). Minimises

    ``E = sum_p unary_p(l_p) + sum_pq weight_pq * ((l_p - l_q) / (L - 1))^2``

    over neighbours p, q below and beside each other. A convex function of a difference of labels
    is a cut of L - 1 nodes a cell (Ishikawa 2003), so the minimum is exact. The grids are
    disconnected parts of one graph: one flow solves all.

    Args:
        unary: Cost of each label, (N, L, h, w), finite.
        down: Weight between each cell and the one below, (N, h - 1, w), >= 0.
        right: Weight between each cell and the one to its right, (N, h, w - 1), >= 0.

    Returns:
        Labels, int64 (N, h, w), on the device of ``unary``.

    Raises:
        ImportError: If PyMaxflow is missing.
        ValueError: If a cost is not finite, a weight is negative, or shapes don't fit.
    """
    _check(unary, down, right)
    num_grids, num_labels, height, width = unary.shape
    num_layers, num_cells = num_labels - 1, num_grids * height * width
    # in double: the flow adds and subtracts terms of very different sizes
    unary = unary.detach().permute(0, 2, 3, 1).reshape(num_cells, num_labels).cpu().double()
    weights = torch.cat([down.detach().flatten(), right.detach().flatten()]).cpu().double()
    graph = load_maxflow().GraphFloat()
    graph.add_nodes(num_cells * num_layers)
    # node k of a cell lies beyond the cut if the cell's label is larger than k
    rises = unary.diff(dim=1)
    nodes = torch.arange(num_cells * num_layers).view(num_cells, num_layers).numpy()
    graph.add_grid_tedges(nodes, rises.clamp_min(0).numpy(), (-rises).clamp_min(0).numpy())
    heads, tails, forth, back = _grid_edges(num_grids, height, width, num_layers)
    step = (weights / num_layers**2)[:, None]
    graph.add_edges(
        heads, tails, (step * forth).flatten().numpy(), (step * back).flatten().numpy()
    )
    if num_layers > 1:
        # a label larger than k + 1 is larger than k: breaking it costs more than all there is
        never = rises.new_full((num_cells, num_layers - 1), float(rises.abs().sum()) + 1).flatten()
        lower, upper = nodes[:, :-1].reshape(-1), nodes[:, 1:].reshape(-1)
        graph.add_edges(lower, upper, never.numpy(), torch.zeros_like(never).numpy())
    graph.maxflow()
    beyond = torch.from_numpy(graph.get_grid_segments(nodes))
    return beyond.sum(dim=1).view(num_grids, height, width).to(down.device)


def grid_energy(unary: Tensor, down: Tensor, right: Tensor, labels: Tensor) -> Tensor:
    """What :func:`cut_grids` minimises.

    Args:
        unary: (N, L, h, w).
        down: (N, h - 1, w).
        right: (N, h, w - 1).
        labels: int64 (N, h, w).

    Returns:
        The energy of each grid, (N,).
    """
    shares = labels.to(unary.dtype) / (unary.size(1) - 1)
    energy = unary.gather(1, labels[:, None]).flatten(1).sum(dim=1)
    for axis, weights in ((1, down), (2, right)):
        energy = energy + (weights * shares.diff(dim=axis).square()).flatten(1).sum(dim=1)
    return energy


@lru_cache(maxsize=16)
def _grid_edges(num_grids: int, height: int, width: int, num_layers: int) -> tuple:
    """Which nodes of neighbouring cells are joined, and how strongly in units of one step.

    Node k of p and node l of q are joined forth and back by 1 if k = l, by 2 one way if k != l:
    their cuts add up to the square of the difference of labels.
    """
    cells = torch.arange(num_grids * height * width).view(num_grids, height, width)
    first = torch.cat([cells[:, :-1].flatten(), cells[:, :, :-1].flatten()])
    second = torch.cat([cells[:, 1:].flatten(), cells[:, :, 1:].flatten()])
    k, j = torch.meshgrid(torch.arange(num_layers), torch.arange(num_layers), indexing='ij')
    k, j = k.flatten(), j.flatten()
    heads = first[:, None] * num_layers + k
    tails = second[:, None] * num_layers + j
    forth = 2.0 * (k < j) + 1.0 * (k == j)
    back = 2.0 * (k > j) + 1.0 * (k == j)
    return heads.flatten().numpy(), tails.flatten().numpy(), forth.double(), back.double()


def _check(unary: Tensor, down: Tensor, right: Tensor) -> None:
    if unary.dim() != 4 or unary.size(1) < 2:
        raise ValueError(
            'unary must hold the costs of two labels or more, (N, L, h, w), got shape '
            f'{tuple(unary.shape)}'
        )
    num_grids, _, height, width = unary.shape
    wanted = dict(
        down=(down, (num_grids, height - 1, width)), right=(right, (num_grids, height, width - 1))
    )
    for name, (weights, shape) in wanted.items():
        if tuple(weights.shape) != shape:
            raise ValueError(
                f'{name} must be of shape {shape} for costs of shape {tuple(unary.shape)}, got '
                f'{tuple(weights.shape)}'
            )
        if not (weights >= 0).all():
            raise ValueError(
                f'{name} must be >= 0, got {float(weights.min())}: a negative weight rewards '
                'neighbours that differ, and no cut solves that; raise it to 0'
            )
    if not torch.isfinite(unary.sum()):
        raise ValueError('unary holds NaN or infinity; clamp the costs to finite values')
