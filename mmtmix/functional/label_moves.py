"""Labellings of many small grids with any labels, by moves that are cuts; needs PyMaxflow."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from mmtmix.checks import check_integer

from .graph_cut import load_maxflow


def move_labels(unary: Tensor, pairwise: Tensor, labels: Tensor, max_cycles: int = 4) -> Tensor:
    """Improve labellings until no move gains, or ``max_cycles`` times all moves are tried.

    Minimises ``E = sum_p unary_p(l_p) + sum_pq pairwise(l_p, l_q)`` over neighbours p, q. The
    moves are those of Boykov et al. (2001): an expansion offers one label to all cells, a swap
    deals the cells of two labels out anew; a cut finds the best. Labels are swapped only with
    those closest to them, where expansions are weakest. One flow makes a move on all grids.

    Args:
        unary: Cost of each label, (G, L, h, w), float64 on the CPU.
        pairwise: Symmetric cost >= 0 of each two labels, 0 between equals, (G, L, L), alike.
        labels: Where to start, int64 (G, h, w).
        max_cycles: How often each move is tried at most.

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
    """Pairs of labels that cost less than half the dearest, (G, S, 2); filled up by one label."""
    first, second = torch.combinations(torch.arange(pairwise.size(1))).T
    cost = pairwise[:, first, second]
    is_close = cost < pairwise.amax(dim=(1, 2))[:, None] / 2
    count = int(is_close.sum(dim=1).max())
    kept = is_close.double().topk(count, dim=1)
    pairs = torch.stack([first[kept.indices], second[kept.indices]], dim=2)
    return torch.where(kept.values[..., None] > 0, pairs, torch.zeros_like(pairs))


class _Grids:
    """The energy of some grids, for one move after the other.

    In numpy's arrays: there are many calls on few numbers, which torch takes much longer for.
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
        """The best choice between two labels for each cell, where it costs no more than to stay.

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
    """First and second cell of each edge, and all cells."""
    cells = torch.arange(num_grids * height * width).view(num_grids, height, width)
    first = torch.cat([cells[:, :-1].flatten(), cells[:, :, :-1].flatten()])
    second = torch.cat([cells[:, 1:].flatten(), cells[:, :, 1:].flatten()])
    return first.numpy(), second.numpy(), cells.flatten().numpy()
