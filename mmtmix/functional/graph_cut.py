"""Labellings of many small grids by maximum flows; needs the optional PyMaxflow."""

from __future__ import annotations

import importlib
from functools import lru_cache
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from mmtmix.checks import check_integer

GRAPH_NODES = 4096
"""Number of nodes of a graph, which the CPU's cache holds with its edges."""


def load_maxflow() -> ModuleType:
    """Return the library that cuts graphs.

    Raises:
        ImportError: If it isn't installed.
    """
    try:
        return importlib.import_module('maxflow')
    except ImportError as error:
        raise ImportError(
            'this augment cuts graphs with PyMaxflow, which cannot be imported '
            f"({error}); install it: pip install PyMaxflow, or pip install 'mmtmix[puzzle]'"
        ) from error


def cut_grids(unary: Tensor, down: Tensor, right: Tensor) -> Tensor:
    """Return the labels of the cells of N grids with the least energy.

    The labels 0..L-1 stand for the shares l / (L - 1). Minimises

    ``E = sum_p unary_p(l_p) + sum_pq weight_pq * ((l_p - l_q) / (L - 1))^2``

    over neighbours p, q below and beside each other. A convex function of a difference of labels
    is a cut of L - 1 nodes per cell (Ishikawa 2003), so the minimum is exact. The grids are
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
    # in double: the flow adds and subtracts terms of very different sizes
    unary = unary.detach().permute(0, 2, 3, 1).flatten(1, 2).cpu().double()
    parts = (weights.detach().flatten(1).cpu().double() for weights in (down, right))
    weights = torch.cat(list(parts), dim=1)
    # grids that share no edge are cut in several graphs, each of which fits the CPU's cache
    size = max(GRAPH_NODES // (height * width * (num_labels - 1)), 1)
    found = [
        _cut(unary[first : first + size], weights[first : first + size], height, width)
        for first in range(0, num_grids, size)
    ]
    labels = torch.cat(found) if found else unary.new_zeros(0, height * width).long()
    return labels.view(num_grids, height, width).to(down.device)


def _cut(unary: Tensor, weights: Tensor, height: int, width: int) -> Tensor:
    """Return the labels of grids that are the parts of one graph.

    Args:
        unary: Cost of each label, (G, h * w, L), float64 on the CPU.
        weights: Weights of the edges of each grid, those below first, (G, edges), float64.
        height: Number of rows h.
        width: Number of columns w.

    Returns:
        Labels, int64 (G, h * w).
    """
    num_grids, num_cells, num_labels = unary.shape
    num_layers = num_labels - 1
    num_nodes = num_grids * num_cells * num_layers
    heads, tails, forth, back = _grid_edges(num_grids, height, width, num_layers)
    graph = load_maxflow().GraphFloat(num_nodes, len(heads) + num_nodes)
    graph.add_nodes(num_nodes)
    # node k of a cell lies beyond the cut if the cell's label is larger than k
    rises = unary.diff(dim=2).flatten(0, 1)
    nodes = torch.arange(num_nodes).view(-1, num_layers).numpy()
    graph.add_grid_tedges(nodes, rises.clamp_min(0).numpy(), (-rises).clamp_min(0).numpy())
    step = (weights / num_layers**2).flatten()[:, None]
    graph.add_edges(
        heads, tails, (step * forth).flatten().numpy(), (step * back).flatten().numpy()
    )
    if num_layers > 1:
        # a label larger than k + 1 is larger than k: breaking it costs more than all there is
        never = rises.new_full(
            (len(nodes), num_layers - 1), float(rises.abs().sum()) + 1
        ).flatten()
        lower, upper = nodes[:, :-1].reshape(-1), nodes[:, 1:].reshape(-1)
        graph.add_edges(lower, upper, never.numpy(), torch.zeros_like(never).numpy())
    graph.maxflow()
    beyond = torch.from_numpy(graph.get_grid_segments(nodes))
    return beyond.sum(dim=1).view(num_grids, num_cells)


def grid_energy(unary: Tensor, down: Tensor, right: Tensor, labels: Tensor) -> Tensor:
    """Return the energy that :func:`cut_grids` minimises.

    Args:
        unary: Cost of each label, (N, L, h, w).
        down: Weight between each cell and the one below, (N, h - 1, w).
        right: Weight between each cell and the one to its right, (N, h, w - 1).
        labels: Labels, int64 (N, h, w).

    Returns:
        Energy of each grid, (N,).
    """
    shares = labels.to(unary.dtype) / (unary.size(1) - 1)
    energy = unary.gather(1, labels[:, None]).flatten(1).sum(dim=1)
    for axis, weights in ((1, down), (2, right)):
        energy = energy + (weights * shares.diff(dim=axis).square()).flatten(1).sum(dim=1)
    return energy


@lru_cache(maxsize=16)
def _grid_edges(num_grids: int, height: int, width: int, num_layers: int) -> tuple:
    """Return which nodes of neighbouring cells are joined, and how strongly in units of one step.

    Node k of p and node l of q are joined forth and back by 1 if k = l, by 2 one way if k != l:
    their cuts add up to the square of the difference of labels.
    """
    cells = torch.arange(num_grids * height * width).view(num_grids, height, width)
    first = torch.cat([cells[:, :-1].flatten(1), cells[:, :, :-1].flatten(1)], dim=1).flatten()
    second = torch.cat([cells[:, 1:].flatten(1), cells[:, :, 1:].flatten(1)], dim=1).flatten()
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


def move_labels(unary: Tensor, pairwise: Tensor, labels: Tensor, max_cycles: int = 4) -> Tensor:
    """Improve labellings until no move gains, or all moves were tried ``max_cycles`` times.

    Minimises ``E = sum_p unary_p(l_p) + sum_pq pairwise(l_p, l_q)`` over neighbours p, q. The
    moves are those of Boykov et al. (2001): an expansion offers one label to all cells, a swap
    deals the cells of two labels out anew; a cut finds the best. Labels are swapped only with
    those closest to them, where expansions are weakest. One flow makes a move on all grids.

    Args:
        unary: Cost of each label, (G, L, h, w), float64 on the CPU.
        pairwise: Symmetric cost >= 0 of each two labels, 0 between equals, (G, L, L), float64 on
            the CPU.
        labels: Labels at the start, int64 (G, h, w).
        max_cycles: Largest number of tries of each move, >= 1.

    Returns:
        Labels, int64 (G, h, w), new, of no more energy than at the start.

    Raises:
        ImportError: If PyMaxflow is missing.
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range.
    """
    check_integer('max_cycles', max_cycles, 1)
    num_labels = unary.size(1)
    grids = _Grids(unary, pairwise)
    swaps = _closest(pairwise).numpy()
    current = labels.flatten().numpy().copy()
    total = num_labels + swaps.shape[1]
    idle = 0
    for step in range(max_cycles * total):
        kind = step % total
        stay, take = current, current.copy()
        if kind < num_labels:
            take[:] = kind
        else:
            one, other = swaps[grids.grid_of_cell, kind - num_labels].T
            concerned = (current == one) | (current == other)
            stay = current.copy()
            stay[concerned], take[concerned] = one[concerned], other[concerned]
        moved = grids.fuse(stay, take)
        idle = 0 if (moved != current).any() else idle + 1
        current = moved
        if idle == total:
            break
    return torch.from_numpy(current).view_as(labels)


def _closest(pairwise: Tensor) -> Tensor:
    """Return pairs of labels that cost less than half the dearest, (G, S, 2), padded by zeros."""
    first, second = torch.combinations(torch.arange(pairwise.size(1))).T
    cost = pairwise[:, first, second]
    is_close = cost < pairwise.amax(dim=(1, 2))[:, None] / 2
    count = int(is_close.sum(dim=1).max())
    kept = is_close.double().topk(count, dim=1)
    pairs = torch.stack([first[kept.indices], second[kept.indices]], dim=2)
    return torch.where(kept.values[..., None] > 0, pairs, torch.zeros_like(pairs))


class _Grids:
    """The energy of some grids, for one move after the other.

    It holds numpy's arrays: there are many calls on few numbers, for which torch is much slower.
    """

    def __init__(self, unary: Tensor, pairwise: Tensor):
        num_grids, num_labels, height, width = unary.shape
        self.first, self.second, self.cells = _edges(num_grids, height, width)
        self.grid_of_cell = self.cells // (height * width)
        # tables, and where the row of each cell or edge begins
        self.costs = unary.flatten(2).transpose(1, 2).flatten().numpy()
        self.pairwise = pairwise.flatten().numpy()
        self.num_labels = num_labels
        self.row_of_cell = self.cells * num_labels
        self.row_of_edge = self.grid_of_cell[self.first] * num_labels**2
        self.library = load_maxflow()

    def fuse(self, stay: Any, take: Any) -> Any:
        """Return the best choice between two labels for each cell; it costs no more than to stay.

        Where the pairwise costs are no metric, two neighbours of which one takes are charged more
        than they cost: a cut needs that, and nothing is taken that costs more than to stay.
        """
        edges = []  # costs where both stay, the first takes, the second takes, both take
        for first, second in ((stay, stay), (take, stay), (stay, take), (take, take)):
            row = self.row_of_edge + first.take(self.first) * self.num_labels
            edges.append(self.pairwise.take(row + second.take(self.second)))
        neither, one, other, both = edges
        apart = one + other - neither - both
        one = one - apart.clip(max=0) / 2
        gain = self.costs.take(self.row_of_cell + take) - self.costs.take(self.row_of_cell + stay)
        graph = self.library.GraphFloat()
        graph.add_nodes(len(stay))
        terms = ((self.cells, gain), (self.first, one - neither), (self.second, both - one))
        for nodes, cost in terms if len(self.first) else terms[:1]:  # it refuses empty arrays
            graph.add_grid_tedges(nodes, cost.clip(min=0), (-cost).clip(min=0))
        graph.add_edges(self.first, self.second, apart.clip(min=0), 0 * apart)
        graph.maxflow()
        takes = graph.get_grid_segments(self.cells)
        chosen = stay.copy()
        chosen[takes] = take[takes]
        return chosen


@lru_cache(maxsize=16)
def _edges(num_grids: int, height: int, width: int) -> tuple[Any, Any, Any]:
    """Return first and second cell of each edge, and all cells."""
    cells = torch.arange(num_grids * height * width).view(num_grids, height, width)
    first = torch.cat([cells[:, :-1].flatten(), cells[:, :, :-1].flatten()])
    second = torch.cat([cells[:, 1:].flatten(), cells[:, :, 1:].flatten()])
    return first.numpy(), second.numpy(), cells.flatten().numpy()
