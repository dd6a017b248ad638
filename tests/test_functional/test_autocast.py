"""Autocast, which the host's AMP turns on around mixes, leaves saliency and masks in float32."""

import pytest
import torch

from mmtmix import functional as F


def drawn(*shape):
    return torch.rand(shape, generator=torch.Generator().manual_seed(sum(shape)))


IMAGES = 2 * drawn(3, 3, 12, 12)
MAPS = drawn(3, 1, 12, 12)
LAYERS = drawn(3, 2, 1, 12, 12)
MASKS = drawn(3, 2, 1, 12, 12).softmax(dim=1)
THETA = F.identity_theta(3, 2) + 0.1 * drawn(3, 2, 2, 3)
CALLS = {
    'area_shares': lambda: F.area_shares(5, 12),
    'blur_masks': lambda: F.blur_masks(MASKS, 1.3),
    'colour_evidence': lambda: F.colour_evidence(IMAGES, MAPS),
    'corner_shift': lambda: F.corner_shift(THETA),
    'covered_pixels': lambda: F.covered_pixels(MAPS[:, 0] > 0.5, MAPS[:, 0] > 0.3),
    'hold_areas of two': lambda: F.hold_areas(5 * LAYERS[:, :, 0], drawn(3, 2).softmax(dim=1)),
    'hold_areas of four': lambda: F.hold_areas(drawn(3, 4, 9, 9), drawn(3, 4).softmax(dim=1)),
    'kept_saliency': lambda: F.kept_saliency(LAYERS, MASKS, THETA),
    'similar_shares': lambda: F.similar_shares(
        drawn(3, 8), drawn(3, 8), drawn(3, 2).softmax(dim=1), torch.tensor([[0, 1]] * 3), 0.1
    ),
    'softmax_masks': lambda: F.softmax_masks(LAYERS, drawn(3, 2).softmax(dim=1), 0.3),
    'spread_by_colour': lambda: F.spread_by_colour(IMAGES, MAPS),
    'square_maps': lambda: F.square_maps(MAPS, 7),
    'unit_mass': lambda: F.unit_mass(MAPS),
    'visible_shares': lambda: F.visible_shares(LAYERS, MASKS),
    'warp': lambda: F.warp(LAYERS, THETA),
}


@pytest.mark.parametrize('name', CALLS)
def test_autocast_changes_no_bit(name):
    expected = CALLS[name]()
    with torch.autocast('cpu', torch.bfloat16):
        found = CALLS[name]()
    assert found.dtype == expected.dtype
    assert torch.equal(found, expected)
