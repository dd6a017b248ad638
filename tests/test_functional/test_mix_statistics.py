"""Statistics of warps and masks against figures by hand."""

import math

import pytest
import torch

from mmtmix.functional import mask_entropy, warp_statistics


def theta(scale, degrees, x, y):
    angle = math.radians(degrees)
    c, s = scale * math.cos(angle), scale * math.sin(angle)
    return [[c, -s, x], [s, c, y]]


def test_scale_shift_and_rotation_are_those_of_the_warps():
    warps = torch.tensor([[theta(0.5, 30, 0.6, 0.8)], [theta(1.5, -30, -0.6, -0.8)]])
    found = {name: value.item() for name, value in warp_statistics(warps).items()}
    assert found['theta_scale'] == pytest.approx(1.0)
    assert found['theta_shift'] == pytest.approx(0.5)  # of the image's side
    assert found['theta_rotation'] == pytest.approx(30, abs=1e-4)
    assert found['theta_scale_spread'] == pytest.approx(0.5)
    assert found['theta_shift_spread'] == pytest.approx(0.5)
    assert found['theta_rotation_spread'] == pytest.approx(30, abs=1e-4)


def test_a_warp_that_ignores_the_images_has_no_spread():
    own, other = theta(0.7, 20, 0.1, 0.2), theta(1.2, 175, 0.3, 0.0)
    found = warp_statistics(torch.tensor([[own, other]] * 5))
    for name, value in found.items():
        assert (value.item() == pytest.approx(0, abs=1e-3)) == name.endswith('_spread')


def test_angles_on_both_sides_of_half_a_turn_are_near():
    found = warp_statistics(torch.tensor([[theta(1, 179, 0, 0)], [theta(1, -179, 0, 0)]]))
    assert found['theta_rotation_spread'].item() == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize('k', [2, 3])
def test_entropy_is_0_for_hard_masks_and_1_for_averages(k):
    hard = torch.zeros(4, k, 1, 5, 5)
    hard[:, 0] = 1
    assert mask_entropy(hard).item() == 0
    assert mask_entropy(torch.full_like(hard, 1 / k)).item() == pytest.approx(1)
