"""Soft masks: areas by bisection, scaled saliency and blurred masks by loops."""

import math

import pytest
import torch

from mmtmix.functional import (
    area_shares,
    blur_masks,
    hold_areas,
    resize_map,
    softmax_masks,
    square_maps,
)


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def weights_of(num_mixes, num_mix):
    return torch.distributions.Dirichlet(torch.ones(num_mix)).sample((num_mixes,))


def test_two_images_get_the_shift_that_bisection_finds():
    logits, weights = 6 * torch.rand(8, 2, 5, 4), weights_of(8, 2)
    shares = torch.rand(5, 4)
    shares /= shares.sum()
    held = hold_areas(logits, weights, shares)
    for n in range(8):
        low, high = -60.0, 60.0
        margin = (logits[n, 1] - logits[n, 0]).double()
        for _ in range(80):
            middle = (low + high) / 2
            area = ((margin + middle).sigmoid() * shares).sum()
            low, high = (middle, high) if area < weights[n, 1] else (low, middle)
        found = (held[n, 1] - held[n, 0]).double() - margin
        torch.testing.assert_close(found, torch.full_like(found, low), atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize('num_mix', [2, 3, 5])
@pytest.mark.parametrize('spread', [1.0, 10.0, 100.0])
def test_areas_are_the_weights_for_any_number_of_images(num_mix, spread):
    logits, weights = spread * torch.randn(64, num_mix, 16, 16), weights_of(64, num_mix)
    weights[0] = torch.eye(num_mix)[0]  # one image has all the weight
    before = logits.clone(), weights.clone()
    held = hold_areas(logits, weights)
    areas = held.softmax(dim=1).mean(dim=(2, 3))
    atol = 1e-4 if num_mix == 2 or spread <= 10 else 6e-2
    torch.testing.assert_close(areas, weights, atol=atol, rtol=0)
    # each map is moved as a whole
    moved = held - logits
    torch.testing.assert_close(moved, moved[..., :1, :1].expand_as(moved), atol=1e-3, rtol=1e-4)
    assert torch.equal(logits, before[0]) and torch.equal(weights, before[1])


def test_a_constant_map_needs_the_logarithm_of_the_weights():
    weights = weights_of(16, 3)
    held = hold_areas(torch.zeros(16, 3, 4, 4), weights)
    torch.testing.assert_close(held.softmax(dim=1)[..., 0, 0], weights, atol=1e-5, rtol=1e-4)


def test_a_mask_without_an_anchor_ignores_the_weights():
    maps, weights = torch.rand(4, 2, 1, 3, 3), weights_of(4, 2)
    masks = softmax_masks(maps, weights, 0.5, anchor=0.0)
    torch.testing.assert_close(masks, (maps / 0.5).softmax(dim=1))
    half = softmax_masks(maps, weights, 0.5, anchor=0.5)
    powers = weights.sqrt()[..., None, None, None] * (maps / 0.5).exp()
    torch.testing.assert_close(half, powers / powers.sum(dim=1, keepdim=True))


@pytest.mark.parametrize(('cells', 'pixels'), [(4, 8), (7, 28), (16, 28), (5, 3), (6, 6)])
def test_shares_give_the_mean_of_a_resized_map(cells, pixels):
    maps = torch.rand(2, 3, cells, cells)
    shares = torch.outer(area_shares(cells, pixels), area_shares(cells, 11))
    expected = resize_map(maps, (pixels, 11)).mean(dim=(2, 3))
    torch.testing.assert_close((maps * shares).sum(dim=(2, 3)), expected)


def test_saliency_is_averaged_before_it_is_scaled():
    maps = torch.rand(3, 1, 8, 8)
    maps[0, 0, 1, 1] = 1000.0  # a single pixel
    maps[2] = 7.0
    found = square_maps(maps, 4)
    for n in range(2):
        cells = torch.tensor(
            [[float(maps[n, 0, 2 * y : 2 * y + 2, 2 * x : 2 * x + 2].mean()) for x in range(4)]
             for y in range(4)]
        )  # fmt: skip
        expected = (cells - cells.min()) / (cells.max() - cells.min())
        torch.testing.assert_close(found[n, 0], expected, atol=1e-5, rtol=1e-4)
    assert (found[2] == 0).all()
    small = torch.rand(2, 1, 3, 5)
    low, high = small.amin((2, 3), keepdim=True), small.amax((2, 3), keepdim=True)
    expected = resize_map((small - low) / (high - low), 6)
    torch.testing.assert_close(square_maps(small, 6), expected)


@pytest.mark.parametrize('sigma', [0.6, 2.0])
@pytest.mark.parametrize('shape', [(6, 9), (1, 4)])
def test_a_blurred_mask_is_the_mean_of_the_pixels_around(sigma, shape):
    hard = torch.rand(2, 3, *shape).argmax(dim=1)
    masks = torch.nn.functional.one_hot(hard, 3).permute(0, 3, 1, 2)[:, :, None].float()
    blurred = blur_masks(masks, sigma)
    reach = int(2.5 * sigma)
    for row in range(shape[0]):
        for column in range(shape[1]):
            total, expected = 0.0, torch.zeros(2, 3)
            for y in range(max(0, row - reach), min(shape[0], row + reach + 1)):
                for x in range(max(0, column - reach), min(shape[1], column + reach + 1)):
                    factor = math.exp(-((y - row) ** 2 + (x - column) ** 2) / (2 * sigma**2))
                    total += factor
                    expected += factor * masks[:, :, 0, y, x]
            torch.testing.assert_close(blurred[:, :, 0, row, column], expected / total)
    torch.testing.assert_close(blurred.sum(dim=1), torch.ones(2, 1, *shape))


def test_a_blur_keeps_a_constant_mask_and_the_dtype():
    masks = torch.tensor([0.3, 0.7])[None, :, None, None, None].expand(4, -1, 1, 5, 5)
    torch.testing.assert_close(blur_masks(masks, 1.0), masks)
    half = blur_masks(masks.half(), 1.0)
    assert half.dtype == torch.float16
