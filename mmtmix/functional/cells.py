"""Grids of cells over a picture."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from mmtmix.checks import check_integer


def top_cells(maps: Tensor, grid_size: int, num_cells: int) -> Tensor:
    """Where a map is highest, in cells of a grid (Attentive CutMix).

    Args:
        maps: (N, 1, h, w); brought to the grid by the mean over each cell.
        grid_size: Cells along each side.
        num_cells: How many cells to take.

    Returns:
        float32 grid of shape (N, grid_size, grid_size), 1 in exactly ``num_cells`` cells and 0
        elsewhere.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range.
    """
    check_integer('grid_size', grid_size, 1)
    check_integer('num_cells', num_cells, 1, grid_size**2)
    cells = F.adaptive_avg_pool2d(maps.float(), grid_size).flatten(1)
    highest = cells.topk(num_cells, dim=1).indices
    return torch.zeros_like(cells).scatter(1, highest, 1.0).unflatten(1, (grid_size, grid_size))


def enlarge_cells(grid: Tensor, height: int, width: int) -> Tensor:
    """Give each pixel the value of the cell that it lies in.

    Cells differ by a pixel where the picture's sides are no multiples of the grid's.

    Args:
        grid: (..., h, w).
        height: Height H >= h of the picture in pixels.
        width: Width W >= w of the picture in pixels.

    Returns:
        (..., H, W).

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If the picture has fewer pixels along a side than the grid has cells.
    """
    check_integer('height', height, 1)
    check_integer('width', width, 1)
    rows, columns = grid.shape[-2:]
    if height < rows or width < columns:
        raise ValueError(
            f'a grid of {rows}x{columns} cells does not fit images of {height}x{width} pixels; '
            'use a smaller grid_size'
        )
    # whole numbers: the scale of a nearest interpolation would be rounded
    row = torch.arange(height, device=grid.device) * rows // height
    column = torch.arange(width, device=grid.device) * columns // width
    # columns first: copying whole rows is the faster of the two
    return grid.index_select(-1, column).index_select(-2, row)
