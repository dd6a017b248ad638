"""Grids of cells."""

import pytest
import torch

from mmtmix.functional import enlarge_cells, top_cells


@pytest.mark.parametrize('size', [(14, 14), (14, 21), (7, 7)])
def test_the_cells_with_the_highest_means_are_taken(size):
    maps = torch.rand(5, 1, *size, generator=torch.Generator().manual_seed(0))
    grid = top_cells(maps, 7, 6)
    assert grid.shape == (5, 7, 7)
    for values, cells in zip(maps[:, 0], grid, strict=True):
        means = {}
        for row in range(7):
            for column in range(7):
                rows = slice(row * size[0] // 7, (row + 1) * size[0] // 7)
                columns = slice(column * size[1] // 7, (column + 1) * size[1] // 7)
                means[row, column] = values[rows, columns].mean().item()
        highest = set(sorted(means, key=means.get)[-6:])
        assert {tuple(cell) for cell in cells.nonzero().tolist()} == highest


def test_ties_and_small_maps_still_give_the_number_of_cells():
    for maps in (torch.zeros(3, 1, 7, 7), torch.rand(3, 1, 2, 3), torch.rand(3, 1, 1, 1)):
        assert (top_cells(maps, 7, 6).sum(dim=(1, 2)) == 6).all()


@pytest.mark.parametrize(
    ('cells', 'size'), [((7, 7), (32, 32)), ((3, 4), (10, 4)), ((1, 2), (5, 9))]
)
def test_each_pixel_has_the_value_of_its_cell(cells, size):
    grid = torch.rand(2, 3, *cells)
    enlarged = enlarge_cells(grid, *size)
    assert enlarged.shape == (2, 3, *size)
    for row in range(size[0]):
        for column in range(size[1]):
            cell = row * cells[0] // size[0], column * cells[1] // size[1]
            assert torch.equal(enlarged[..., row, column], grid[..., cell[0], cell[1]])


def test_more_cells_than_pixels_are_refused():
    with pytest.raises(ValueError, match='7x7 cells does not fit images of 32x6.*grid_size'):
        enlarge_cells(torch.zeros(7, 7), 32, 6)
