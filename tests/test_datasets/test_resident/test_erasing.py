"""Batched RandomErasing: MMPretrain's pixels in the same rectangle, and its distribution."""

import numpy as np
import pytest
import torch
from mmpretrain.datasets import RandomErasing

from mmtmix.datasets.resident.erasing import Erasing

pytestmark = pytest.mark.host
CPU = torch.device('cpu')


@pytest.mark.parametrize('colour', [(128, 3, 255), 7, (123.67, 116.3, 103.5)])
def test_a_constant_fills_the_same_pixels(images, colour):
    transform = RandomErasing(erase_prob=0.6, fill_color=colour)
    erasing = Erasing(transform, (7, 6), CPU)
    patches, _ = erasing.draw(40, torch.Generator().manual_seed(0))
    batch = images[np.arange(40) % 5]
    found = erasing.apply(torch.from_numpy(batch).permute(0, 3, 1, 2), patches, 0)
    for number, patch in enumerate(patches.tolist()):
        transform.random_disable = lambda patch=patch: not patch[2]
        transform.random_patch = lambda height, width, patch=patch: patch
        expected = transform(dict(img=batch[number].copy()))['img']
        np.testing.assert_array_equal(found[number].permute(1, 2, 0), expected)


@pytest.mark.parametrize('std', [None, (20.0, 50.0, 90.0)])
def test_noise_has_the_distribution_of_the_transform(std):
    settings = dict(mode='rand', fill_color=(40, 128, 200), fill_std=std)
    transform = RandomErasing(**settings)
    whole = torch.tensor([[0, 0, 100, 90]])
    picture = np.zeros((100, 90, 3), dtype=np.uint8)
    np.random.seed(0)  # noqa: NPY002  (what MMPretrain draws from)
    theirs = transform._fill_pixels(picture, 0, 0, 100, 90).reshape(-1, 3)
    erasing = Erasing(transform, (100, 90), CPU)
    blank = torch.zeros(1, 3, 100, 90, dtype=torch.uint8)
    ours = erasing.apply(blank, whole, seed=5)[0].flatten(1).T.numpy()
    for channel in range(3):
        for quantile in (0.05, 0.25, 0.5, 0.75, 0.95):
            both = [np.quantile(each[:, channel], quantile) for each in (ours, theirs)]
            assert abs(both[0] - both[1]) < 7
        for value in (0, 255):  # what is clipped
            both = [(each[:, channel] == value).mean() for each in (ours, theirs)]
            assert abs(both[0] - both[1]) < 0.02
    again = erasing.apply(blank, whole, seed=5)[0].flatten(1).T.numpy()
    np.testing.assert_array_equal(again, ours)
    assert (erasing.apply(blank, whole, seed=6)[0].flatten(1).T.numpy() != ours).any()


def test_rectangles_have_the_distribution_of_the_transform():
    transform = RandomErasing(0.7, 0.05, 0.5, (0.25, 5.0))
    erasing = Erasing(transform, (24, 16), CPU)
    patches, _ = erasing.draw(20000, torch.Generator().manual_seed(0))
    erased = patches[:, 2] > 0
    assert abs(erased.double().mean() - 0.7) < 0.01
    ours = patches[erased].numpy()
    np.random.seed(0)  # noqa: NPY002  (what MMPretrain draws from)
    theirs = np.array([transform.random_patch(24, 16) for _ in range(len(ours))])
    for column in range(4):
        shares = [np.bincount(each[:, column], minlength=25) for each in (ours, theirs)]
        np.testing.assert_allclose(shares[0] / len(ours), shares[1] / len(ours), atol=0.02)
    areas = [np.mean(each[:, 2] * each[:, 3]) for each in (ours, theirs)]
    assert areas[0] == pytest.approx(areas[1], rel=0.02)
