"""PuzzleMix's transport: salient cells move to where the mask shows them."""

from __future__ import annotations

import torch
from torch import Tensor

from mmtmix.checks import check_integer, check_number, check_numbers

from .masks import cells_of_pixels

ROUNDING = 1e-6
"""Relative error that is above that of a cost in float32."""


def move_costs(cells: tuple[int, int], device: torch.device | None = None) -> Tensor:
    """Return squared distances between cells, with each side of the image as 1.

    Args:
        cells: Number of rows and of columns, n cells in all.
        device: Device of the result.

    Returns:
        Distances, (n, n).

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range.
    """
    check_numbers('cells', cells, 2, 1, whole=True)
    squares = []
    for count in cells:
        # whole numbers first: equal distances stay equal
        place = torch.arange(count, device=device)
        squares.append((place[:, None] - place).square() / max(count - 1, 1) ** 2)
    down, right = squares
    num_cells = cells[0] * cells[1]
    return (down[:, None, :, None] + right[None, :, None]).reshape(num_cells, num_cells)


def transport_plan(saliency: Tensor, shown: Tensor, eps: float, rounds: int) -> Tensor:
    """Choose which cell of an image moves to which cell of its mask (PuzzleMix, Algorithm 1).

    In each round each cell bids for the place of least cost. The cost is
    ``eps * distance^2 - saliency`` where the mask shows the image, and ``eps * distance^2``
    elsewhere. Each place takes the best bid, and a rejected cell never bids there again. A cell
    without gain stays.

    Args:
        saliency: Saliency of the cells, in [0, 1], (N, rows, columns).
        shown: Whether the mask shows anything of the image there, bool (N, rows, columns).
        eps: Cost of distance, >= 0.
        rounds: Number of rounds, >= 1; the public code has the number of cells per side.

    Returns:
        Cell whose content each place gets, int64 (N, rows * columns); its own without a bid.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range.
    """
    check_number('eps', eps, 0)
    check_integer('rounds', rounds, 1)
    num_images, num_cells = len(saliency), saliency[0].numel()
    bids = _Bids(saliency, shown, eps)
    total = num_images * num_cells
    cell = torch.arange(total, device=saliency.device)
    first = cell - cell % num_cells
    best, taker = torch.zeros_like(bids.value), cell.new_full((total,), total)
    bidders = (bids.value < 0).nonzero()[:, 0]
    for left in reversed(range(rounds)):
        # a bid that was accepted stands until a better one comes, so only new ones are compared
        target, bid = first[bidders] + bids.place[bidders], bids.value[bidders]
        holder, held = taker[target], best[target]
        now = best.scatter_reduce_(0, target, bid, 'amin')[target]
        # of equals the first
        stays = torch.where(held == now, holder, total)
        comes = torch.where(bid == now, bidders, total)
        taker[target] = total
        taker.scatter_reduce_(0, target, torch.minimum(stays, comes), 'amin')
        winner = taker[target]
        # one place more, for places that nobody held
        is_loser = torch.zeros(total + 1, dtype=torch.bool, device=cell.device)
        is_loser[bidders] = winner != bidders
        is_loser[torch.where(holder != winner, holder, total)] = True
        losers = is_loser[:total].nonzero()[:, 0]
        if not left or not len(losers):
            break
        bids.reject(losers)
        bidders = losers[bids.value[losers] < 0]
    source = torch.where(taker < total, taker, cell)
    return (source - first).view(num_images, num_cells)


class _Bids:
    """The place that each cell of a batch bids for, and the costs of those that had to choose.

    Most cells never choose: one whose own place is shown bids for that, and one with less saliency
    than a move costs does not bid. So only the others have a row of costs.

    Attributes:
        place: Place that each cell bids for, int64 (total,).
        value: Cost of it, (total,); a bid only if below 0.
    """

    def __init__(self, saliency: Tensor, shown: Tensor, eps: float):
        rows, columns = saliency.shape[1:]
        saliency = saliency.to(torch.promote_types(saliency.dtype, torch.float32))
        self.num_cells = rows * columns
        self.saliency, self.shown = saliency.flatten(), shown.flatten(1)
        self.distance = (eps * move_costs((rows, columns), saliency.device)).to(saliency.dtype)
        total = len(self.saliency)
        nearest = eps / max(rows - 1, columns - 1, 1) ** 2
        self.may_move = self.saliency > nearest * (1 - ROUNDING)
        # a distance that rounding could hide is compared with all others
        stays = self.shown.flatten() & (nearest > 2 * ROUNDING)
        cell = torch.arange(self.num_cells, device=saliency.device)
        self.place = cell.repeat(len(saliency))
        self.value = torch.where(stays, -self.saliency, torch.zeros_like(self.saliency))
        self.slot = self.place.new_full((total,), -1)
        self.costs = saliency.new_empty(0, self.num_cells)
        self._choose(self._price((~stays & self.may_move).nonzero()[:, 0]))

    def reject(self, losers: Tensor) -> None:
        """Let cells bid elsewhere, and never again for their present place.

        Args:
            losers: Cells whose bid was rejected, int64 (l,).
        """
        self.value[losers] = 0
        losers = losers[self.may_move[losers]]
        new = losers[self.slot[losers] < 0]
        if len(new):
            self._price(new)
        self.costs[self.slot[losers], self.place[losers]] = 1.0  # only costs below 0 are bid for
        self._choose(losers)

    def _price(self, cells: Tensor) -> Tensor:
        """Make the rows of costs of cells, and return the cells."""
        image, own = cells // self.num_cells, cells % self.num_cells
        saliency = self.saliency[cells, None]
        gain = self.shown.to(saliency.dtype).index_select(0, image) * saliency
        costs = self.distance.index_select(0, own).sub_(gain)
        self.slot[cells] = torch.arange(len(cells), device=cells.device) + len(self.costs)
        self.costs = torch.cat([self.costs, costs]) if len(self.costs) else costs
        return cells

    def _choose(self, cells: Tensor) -> None:
        """Set the places of least cost of cells that have a row."""
        rows = self.costs.index_select(0, self.slot[cells])
        place = rows.argmin(dim=1)  # the first of equals, which min does not promise
        self.place[cells] = place
        self.value[cells] = rows.gather(1, place[:, None])[:, 0]


def move_cells(images: Tensor, index: Tensor, plan: Tensor, cells: tuple[int, int]) -> Tensor:
    """Move the content of the cells of the images of each mix.

    Args:
        images: Images of the batch, (N, C, H, W). Where a side is no multiple of its cells, these
            differ by a pixel, and a smaller one is filled up by the pixels beside it.
        index: Positions of the images of each mix, int64 (M, k).
        plan: Cell whose content each place gets, int64 (M, k, rows * columns).
        cells: Number of rows and of columns.

    Returns:
        Images with moved cells, (M, k, C, H, W), new, in the dtype of the images.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range.
    """
    check_numbers('cells', cells, 2, 1, whole=True)
    channels, device = images.size(1), images.device
    layouts = [_layout(images.size(2 + axis), cells[axis], device) for axis in range(2)]
    patches = images
    for axis, (gather, _, _) in enumerate(layouts):
        if gather is not None:
            patches = patches.index_select(2 + axis, gather)
    (_, _, height), (_, _, width) = layouts
    # units of one row of one cell; a moved image has those of its plan at the same offset
    units = patches.reshape(-1, width)
    row, column = plan // cells[1], plan % cells[1]
    start = (index[..., None] * channels * cells[0] + row) * height * cells[1] + column
    offset = torch.arange(channels, device=device)[:, None] * cells[0] * height
    offset = (offset + torch.arange(height, device=device)) * cells[1]
    start = start.view(*index.shape, 1, cells[0], 1, cells[1])
    wanted = start + offset[:, None, :, None]
    moved = units.index_select(0, wanted.flatten())
    moved = moved.view(*index.shape, channels, cells[0] * height, cells[1] * width)
    for axis, (_, scatter, _) in enumerate(layouts):
        if scatter is not None:
            moved = moved.index_select(3 + axis, scatter)
    return moved


def _layout(
    size: int, cells: int, device: torch.device
) -> tuple[Tensor | None, Tensor | None, int]:
    """Return how to cut a side into cells of one size, and where its pixels lie then.

    Returns:
        The pixel at each place of the cells one after another, (cells * largest,), the place of
        each pixel, (size,), both None where cells are equal, and the size of the largest cell.
    """
    largest = -(-size // cells)
    if largest * cells == size:
        return None, None, largest
    start = -(-torch.arange(cells, device=device) * size // cells)
    pixels = start[:, None] + torch.arange(largest, device=device)
    cell = cells_of_pixels(size, cells, device)
    place = cell * largest + torch.arange(size, device=device) - start[cell]
    return pixels.clamp_max(size - 1).flatten(), place, largest
