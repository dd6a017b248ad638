"""The eight orientations, and warps seen from each."""

from itertools import product

import numpy as np
import pytest
import torch

from mmtmix.functional import orient, orient_back, orient_theta_back, warp

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
