"""PuzzleMix's transport: salient cells move to where the mask shows them."""

from __future__ import annotations

import torch
from torch import Tensor

from mmtmix.checks import check_integer, check_number, check_numbers

from .masks import cells_of_pixels


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
    distance = eps * move_costs((saliency.size(1), saliency.size(2)), saliency.device)
    gain = saliency.flatten(1)[:, :, None] * shown.flatten(1)[:, None].to(saliency.dtype)
    cost = (distance - gain).view(-1, num_cells)  # one row per cell of the whole batch
    place = cost.argmin(dim=1)  # the first of equals, which min does not promise
    value = cost.gather(1, place[:, None])[:, 0]
    first = torch.arange(num_images, device=cost.device) * num_cells
    first = first[:, None].expand(-1, num_cells).flatten()
    cell = torch.arange(len(cost), device=cost.device)
    nobody = cell.new_full((len(cost),), len(cost))
    taker = nobody
    for left in reversed(range(rounds)):
        target = first + place
        best = value.new_zeros(len(cost)).scatter_reduce(0, target, value, 'amin')
        is_best = (value == best[target]) & (value < 0)
        # of equals the first
        taker = nobody.scatter_reduce(0, target, torch.where(is_best, cell, nobody), 'amin')
        losers = ((value < 0) & (taker[target] != cell)).nonzero()[:, 0]
        if not left or not len(losers):
            break
        cost[losers, place[losers]] = 1.0  # only costs below 0 are bid for
        rest = cost[losers]
        place[losers] = rest.argmin(dim=1)
        value[losers] = rest.gather(1, place[losers, None])[:, 0]
    source = torch.where(taker < len(cost), taker, cell)
    return (source - first).view(num_images, num_cells)


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
    rows, columns = cells
    # one row per cell of the batch: whole cells are copied faster than single pixels
    patches = patches.reshape(-1, channels, rows, height, columns, width)
    patches = patches.permute(0, 2, 4, 1, 3, 5).reshape(-1, channels * height * width)
    wanted = index[..., None] * (rows * columns) + plan
    moved = patches.index_select(0, wanted.flatten())
    moved = moved.view(-1, rows, columns, channels, height, width).permute(0, 3, 1, 4, 2, 5)
    moved = moved.reshape(*index.shape, channels, rows * height, columns * width)
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
