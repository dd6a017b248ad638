"""Masks from layers, heights and cells."""

import numpy as np
import pytest
import torch

from mmtmix.functional import (
    draw_weights,
    enlarge_cells,
    layer_masks,
    layer_shares,
    level_masks,
    soft_level_masks,
    top_cells,
)
from mmtmix.functional.masks import _nth_by_counts, _nth_by_sort, _steps


@pytest.mark.parametrize('num_mix', [2, 3, 4])
def test_masks_are_those_of_pasting_one_after_another(num_mix):
    covers = torch.rand(5, num_mix - 1, 4, 6)
    expected = torch.zeros(5, num_mix, 4, 6)
    expected[:, 0] = 1
    for i in range(1, num_mix):
        cover = covers[:, i - 1]
        expected *= (1 - cover)[:, None]
        expected[:, i] = cover
    masks = layer_masks(covers)
    assert masks.shape == (5, num_mix, 1, 4, 6)
    torch.testing.assert_close(masks[:, :, 0], expected)
    torch.testing.assert_close(masks.sum(dim=1), torch.ones(5, 1, 4, 6))


def test_hard_covers_give_one_hot_masks():
    masks = layer_masks((torch.rand(5, 3, 8, 8) > 0.5).float())
    assert set(masks.unique().tolist()) == {0.0, 1.0}
    assert torch.equal(masks.sum(dim=1), torch.ones(5, 1, 8, 8))


@pytest.mark.parametrize('num_mix', [2, 3, 4])
def test_covering_by_the_shares_leaves_the_weights(num_mix):
    weights = draw_weights(16, num_mix, 1.0, torch.Generator().manual_seed(0))
    before = weights.clone()
    shares = layer_shares(weights)
    masks = layer_masks(shares[..., None, None].expand(-1, -1, 3, 3))
    torch.testing.assert_close(masks.mean(dim=(2, 3, 4)), weights)
    assert torch.equal(weights, before)


def test_no_weight_below_means_the_whole_picture():
    weights = torch.tensor([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]])
    assert layer_shares(weights).tolist() == [[1, 0], [0, 1], [0, 0]]


SIZES = pytest.mark.parametrize('size', [(4, 4), (17, 30), (32, 32)])


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@SIZES
@pytest.mark.parametrize('num_mix', [2, 3, 4])
def test_each_image_has_its_number_of_pixels_from_the_top(num_mix, size):
    weights = draw_weights(12, num_mix, 1.0, seeded())
    maps = torch.randn(12, *size, generator=seeded())
    masks = level_masks(maps, weights)
    assert masks.shape == (12, num_mix, 1, *size) and masks.dtype == torch.float32
    pixels = size[0] * size[1]
    for values, shares, mask in zip(maps, weights, masks[:, :, 0], strict=True):
        order = np.argsort(-values.numpy().ravel())
        ends = np.rint(shares.cumsum(0)[:-1].numpy() * pixels).astype(int)
        for image, part in enumerate(np.split(order, ends)):
            expected = np.zeros(pixels, np.float32)
            expected[part] = 1
            np.testing.assert_array_equal(mask[image].numpy().ravel(), expected)


@SIZES
def test_all_weight_on_one_image_shows_only_that_one(size):
    maps = torch.randn(3, *size)
    masks = level_masks(maps, torch.eye(3))
    assert torch.equal(masks.mean(dim=(2, 3, 4)), torch.eye(3))


def test_counting_finds_what_sorting_finds():
    rows = torch.randn(40, 700, generator=seeded())
    for count in (0, 1, 2, 350, 699, 700):
        counts = torch.full((40, 1), count)
        steps = _steps(rows)
        counted = steps >= _nth_by_counts(steps, counts)
        assert torch.equal(counted, rows >= _nth_by_sort(rows, counts))
        assert (counted.sum(dim=1) == count).all()


def test_a_constant_map_goes_to_one_image():
    weights = torch.tensor([[0.4, 0.6]])
    for size in (4, 32):
        shares = level_masks(torch.ones(1, size, size), weights).mean(dim=(2, 3, 4))
        assert sorted(shares[0].tolist()) == [0, 1]


@SIZES
@pytest.mark.parametrize('max_soft', [0.05, 0.3, 0.5])
def test_soft_edges_fall_off_by_rank(size, max_soft):
    lam = torch.tensor([0.0, 0.02, 0.3, 0.5, 0.77, 0.999, 1.0])
    maps = torch.randn(7, *size, generator=seeded())
    masks = soft_level_masks(maps, lam, max_soft)
    pixels = size[0] * size[1]
    for values, share, mask in zip(maps, lam.tolist(), masks[:, :, 0], strict=True):
        count = round(share * pixels)
        soft = int(pixels * min(max_soft, share, 1 - share) + 1e-4)
        soft = min(soft, count, pixels - count)
        expected = np.zeros(pixels, np.float32)
        expected[: count - soft] = 1
        expected[count - soft : count + soft] = np.linspace(1, 0, 2 * soft)
        order = np.argsort(-values.numpy().ravel())
        np.testing.assert_allclose(mask[0].numpy().ravel()[order], expected, atol=1e-5)
        assert abs(mask[0].mean().item() - count / pixels) < 1e-5
    torch.testing.assert_close(masks.sum(dim=1), torch.ones(7, 1, *size))


def test_without_softness_soft_levels_are_hard_ones():
    maps, weights = torch.randn(8, 20, 20), draw_weights(8, 2, 1.0, seeded())
    assert torch.equal(soft_level_masks(maps, weights[:, 0], 0.0), level_masks(maps, weights))


def test_arguments_are_not_written_to():
    maps, weights = torch.randn(4, 20, 20), draw_weights(4, 2, 1.0, seeded())
    before = maps.clone(), weights.clone()
    level_masks(maps, weights)
    soft_level_masks(maps, weights[:, 0], 0.2)
    assert torch.equal(maps, before[0]) and torch.equal(weights, before[1])


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
