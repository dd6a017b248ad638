"""Warps and orientations, against numpy, torch and pictures moved by hand."""

import itertools
import math
from itertools import product

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from mmtmix.functional import (
    PADDING_MODES,
    blend_warped,
    corner_shift,
    identity_theta,
    orient,
    orient_back,
    orient_theta_back,
    warp,
)

MODES = pytest.mark.parametrize('padding_mode', PADDING_MODES)


def some_theta(num_samples, num_mix, seed=0, dtype=torch.float32):
    noise = torch.randn(
        num_samples, num_mix, 2, 3, generator=torch.Generator().manual_seed(seed), dtype=dtype
    )
    return torch.eye(2, 3, dtype=dtype) + 0.3 * noise


def bilinear_with_zeros(image, theta):
    """One channel (H, W) sampled pixel by pixel in numpy; pixel centres lie at (i + 0.5)."""
    height, width = image.shape
    padded = np.zeros((height + 2, width + 2))
    padded[1:-1, 1:-1] = image
    result = np.zeros_like(image)
    for i in range(height):
        for j in range(width):
            x, y = theta @ [(2 * j + 1) / width - 1, (2 * i + 1) / height - 1, 1]
            row, column = ((y + 1) * height - 1) / 2 + 1, ((x + 1) * width - 1) / 2 + 1
            if not (0 <= row < height + 1 and 0 <= column < width + 1):
                continue
            top, left = int(row), int(column)
            down, right = row - top, column - left
            (a, b), (c, d) = padded[top : top + 2, left : left + 2]
            result[i, j] = (1 - down) * ((1 - right) * a + right * b)
            result[i, j] += down * ((1 - right) * c + right * d)
    return result


def test_warp_is_bilinear_sampling_with_zeros_outside():
    images, theta = torch.rand(3, 2, 2, 6, 9, dtype=torch.double), some_theta(3, 2).double()
    warped = warp(images, theta)
    for n, i, c in np.ndindex(3, 2, 2):
        expected = bilinear_with_zeros(images[n, i, c].numpy(), theta[n, i].numpy())
        np.testing.assert_allclose(warped[n, i, c].numpy(), expected, atol=1e-9)


@MODES
@pytest.mark.parametrize('shape', [(3, 8, 8), (1, 5, 12), (3, 13, 4)])
def test_warp_is_grid_sample_of_each_image_by_itself(padding_mode, shape):
    images, theta = torch.randn(2, 3, *shape), some_theta(2, 3)
    warped = warp(images, theta, padding_mode)
    for n in range(2):
        for i in range(3):
            grid = F.affine_grid(theta[n, i][None], [1, *shape], align_corners=False)
            expected = F.grid_sample(
                images[n, i][None], grid, padding_mode=padding_mode, align_corners=False
            )
            torch.testing.assert_close(warped[n, i], expected[0])


@MODES
@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_identity_gives_the_images_back_in_their_dtype(padding_mode, dtype):
    images = torch.rand(2, 3, 3, 7, 10).to(dtype)
    warped = warp(images, identity_theta(2, 3), padding_mode)
    assert warped.dtype == dtype
    torch.testing.assert_close(warped, images, atol=1e-5, rtol=1e-2 if dtype.itemsize == 2 else 0)


@pytest.mark.parametrize(('rows', 'columns'), [(0, 3), (2, 0), (-1, 4)])
def test_a_shift_by_whole_pixels_moves_the_picture_and_lets_zeros_in(rows, columns):
    images = torch.rand(1, 1, 3, 8, 12) + 1
    theta = torch.tensor([[[[1, 0, 2 * columns / 12], [0, 1, 2 * rows / 8]]]])
    expected = torch.zeros(3, 8, 12)
    for i in range(8):
        for j in range(12):
            if 0 <= i + rows < 8 and 0 <= j + columns < 12:
                expected[:, i, j] = images[0, 0, :, i + rows, j + columns]
    torch.testing.assert_close(warp(images, theta)[0, 0], expected, atol=1e-5, rtol=0)


def test_a_flip_and_a_quarter_turn_are_exact():
    images = torch.rand(1, 2, 3, 6, 6)
    flip, turn = [[-1, 0, 0], [0, 1, 0]], [[0, -1, 0], [1, 0, 0]]
    warped = warp(images, torch.tensor([[flip, turn]], dtype=torch.float32))
    torch.testing.assert_close(warped[0, 0], images[0, 0].flip(-1), atol=1e-5, rtol=0)
    quarter = np.rot90(images[0, 1].numpy(), axes=(1, 2)).copy()
    torch.testing.assert_close(warped[0, 1], torch.from_numpy(quarter), atol=1e-5, rtol=0)


@pytest.mark.parametrize(('padding_mode', 'outside'), [('zeros', 0.0), ('border', 5.0)])
def test_padding_decides_what_lies_outside(padding_mode, outside):
    images = torch.full((1, 1, 1, 4, 4), 5.0)
    far_away = torch.tensor([[[[1.0, 0, 9], [0, 1, 9]]]])
    assert (warp(images, far_away, padding_mode) == outside).all()


def test_an_unknown_padding_is_refused():
    with pytest.raises(ValueError, match="padding_mode must be one of .*'mirror'"):
        warp(torch.rand(1, 2, 3, 4, 4), identity_theta(1, 2), 'mirror')


@MODES
def test_gradients_reach_images_and_theta(padding_mode):
    torch.manual_seed(0)
    images = torch.rand(2, 2, 1, 4, 5, dtype=torch.double, requires_grad=True)
    theta = some_theta(2, 2, dtype=torch.double).requires_grad_()
    torch.autograd.gradcheck(lambda a, b: warp(a, b, padding_mode), (images, theta))


def test_half_precision_moves_pixels_as_full_precision_does():
    images, theta = torch.rand(1, 2, 1, 256, 256), some_theta(1, 2)
    halves = warp(images.bfloat16(), theta).float()
    torch.testing.assert_close(halves, warp(images.bfloat16().float(), theta), atol=4e-3, rtol=0)


@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
def test_autocast_does_not_move_a_pixel(dtype):
    images, theta = torch.rand(1, 2, 1, 64, 64), some_theta(1, 2)
    with torch.autocast('cpu', dtype):
        warped = warp(images, theta)
    assert torch.equal(warped, warp(images, theta))


def test_arguments_are_not_written_to():
    images, theta = torch.rand(2, 2, 1, 4, 4), some_theta(2, 2)
    before = images.clone(), theta.clone()
    warp(images, theta)
    assert torch.equal(images, before[0])
    assert torch.equal(theta, before[1])


def test_identity_theta_can_be_written_to_and_takes_a_dtype():
    theta = identity_theta(2, 3, like=torch.zeros((), dtype=torch.float64))
    assert theta.dtype == torch.float64
    theta[0, 0, 0, 2] = math.pi
    assert theta[1:].tolist() == [[[[1, 0, 0], [0, 1, 0]]] * 3]


def test_corner_shift_is_the_mean_way_of_the_corners():
    theta = some_theta(3, 2, dtype=torch.double)
    shifts = corner_shift(theta)
    assert shifts.shape == (3, 2)
    for n, i in np.ndindex(3, 2):
        ways = []
        for x, y in itertools.product((-1, 1), repeat=2):
            moved_x, moved_y = theta[n, i].numpy() @ [x, y, 1]
            ways.append(math.hypot(moved_x - x, moved_y - y))
        # an image is two units wide
        assert float(shifts[n, i]) == pytest.approx(sum(ways) / 4 / 2)
    assert not corner_shift(identity_theta(3, 2)).any()
    aside = identity_theta(1, 1)
    aside[..., 0, 2] = 0.5
    assert float(corner_shift(aside)) == 0.25


ALL = torch.tensor(list(product([False, True], repeat=3)))


def test_each_orientation_is_another_symmetry_of_the_square():
    square = torch.arange(9.0).view(1, 1, 3, 3)
    turned = orient(square.expand(8, 1, 3, 3), ALL)
    expected = []
    for exchanged, horizontal, vertical in ALL.tolist():
        image = square[0, 0].numpy()
        image = image.T if exchanged else image
        image = np.fliplr(image) if horizontal else image
        expected.append(np.flipud(image) if vertical else image)
    assert torch.equal(turned[:, 0], torch.tensor(np.stack(expected)))
    assert len({tuple(each.flatten().tolist()) for each in turned}) == 8


@pytest.mark.parametrize('shape', [(8, 5, 5), (8, 3, 1, 4, 4)])
def test_orienting_back_undoes_it(shape):
    maps = torch.rand(shape)
    assert torch.equal(orient_back(orient(maps, ALL), ALL), maps)


@pytest.mark.parametrize('padding_mode', ['zeros', 'border', 'reflection'])
def test_a_warp_of_turned_images_is_that_of_the_images_turned(padding_mode):
    torch.manual_seed(0)
    images = torch.rand(8, 2, 3, 9, 9)
    theta = torch.eye(2, 3) + 0.4 * torch.randn(8, 2, 2, 3)
    turned = orient_back(warp(orient(images, ALL), theta, padding_mode), ALL)
    found = warp(images, orient_theta_back(theta, ALL), padding_mode)
    torch.testing.assert_close(found, turned, atol=1e-5, rtol=0)


def test_autocast_does_not_round_theta():
    theta = torch.eye(2, 3) + 0.1 * torch.randn(8, 3, 2, 3)
    expected = orient_theta_back(theta, ALL)
    with torch.autocast('cpu', torch.bfloat16):
        assert torch.equal(orient_theta_back(theta, ALL), expected)


@MODES
def test_a_warp_to_another_size_shows_the_same_points(padding_mode):
    images, theta = (
        torch.randn(2, 3, 2, 6, 9),
        identity_theta(2, 3) + 0.3 * torch.randn(2, 3, 2, 3),
    )
    grid = F.affine_grid(theta.flatten(0, 1), [6, 2, 5, 5], align_corners=False)
    expected = F.grid_sample(
        images.flatten(0, 1), grid, padding_mode=padding_mode, align_corners=False
    )
    found = warp(images, theta, padding_mode, size=5)
    torch.testing.assert_close(found.flatten(0, 1), expected, atol=1e-5, rtol=1e-5)
    with pytest.raises(ValueError, match='size must be an integer >= 1, got 0'):
        warp(images, theta, size=0)


@pytest.mark.parametrize('num_mix', [2, 3])
@pytest.mark.parametrize('dtype', [torch.float32, torch.float64, torch.float16])
def test_blending_warped_images_is_warping_and_then_blending(num_mix, dtype):
    images = torch.randn(4, 3, 8, 11).to(dtype)
    index = torch.randint(4, (5, num_mix))
    theta = some_theta(5, num_mix)
    masks = torch.rand(5, num_mix, 1, 8, 11)
    found = blend_warped(images, index, theta, masks, 'border')
    assert found.dtype == torch.promote_types(dtype, torch.float32)
    moved = warp(images.to(found.dtype)[index], theta, 'border')
    torch.testing.assert_close(found, (moved * masks).sum(dim=1).to(found.dtype))


def test_gradients_through_blended_warps_are_those_of_autograd_checks():
    images, masks = torch.randn(3, 2, 5, 5).double(), torch.rand(3, 2, 1, 5, 5).double()
    theta = some_theta(3, 2, dtype=torch.float64)
    index = torch.tensor([[0, 1], [1, 2], [2, 0]])
    inputs = (theta.requires_grad_(), masks.requires_grad_())
    assert torch.autograd.gradcheck(lambda *each: blend_warped(images, index, *each), inputs)
