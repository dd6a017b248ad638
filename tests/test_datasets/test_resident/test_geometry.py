"""Batched crops, flips and pads: for every draw, the pixels of MMPretrain's transforms."""

from itertools import product

import numpy as np
import pytest
import torch
from mmcv.transforms import CenterCrop, Pad, RandomFlip
from mmpretrain.datasets import RandomCrop

from mmtmix.datasets.resident.geometry import Geometry

pytestmark = pytest.mark.host

DIRECTIONS = ['horizontal', 'vertical', 'diagonal']
FLIP = dict(prob=[0.25, 0.25, 0.25], direction=DIRECTIONS)


def nothing(count):
    return torch.empty(count, 0, dtype=torch.long)


CROPS = {
    'no padding': dict(crop_size=4),
    'one number': dict(crop_size=(7, 6), padding=2),
    'two sides': dict(crop_size=5, padding=(1, 3)),
    'four sides': dict(crop_size=(6, 5), padding=(0, 1, 2, 3)),
    'number as colour': dict(crop_size=6, padding=1, pad_val=77),
    'colour': dict(crop_size=6, padding=1, pad_val=(1, 2, 3)),
    'larger than the image': dict(crop_size=(9, 9)),
    'padding_mode without pad_if_needed': dict(crop_size=6, padding=2, padding_mode='edge'),
    'if needed, constant': dict(crop_size=(10, 9), pad_if_needed=True, pad_val=9),
    'if needed, edge': dict(crop_size=(10, 9), pad_if_needed=True, padding_mode='edge'),
    'if needed, reflect': dict(crop_size=(12, 9), pad_if_needed=True, padding_mode='reflect'),
    'if needed, symmetric': dict(crop_size=(12, 9), pad_if_needed=True, padding_mode='symmetric'),
    'both': dict(
        crop_size=(12, 4), padding=1, pad_if_needed=True, padding_mode='reflect', pad_val=5
    ),
}


@pytest.mark.parametrize('is_grey', [False, True])
@pytest.mark.parametrize('name', CROPS)
def test_every_crop_and_flip_has_the_same_pixels(ordinary, batched, images, name, is_grey):
    if is_grey and name == 'colour':
        pytest.skip('three values for one channel')
    images = images[..., 0] if is_grey else images
    crop, flip = RandomCrop(**CROPS[name]), RandomFlip(**FLIP)
    steps = Geometry([crop], images.shape[1:])._steps
    places = steps[-1].places
    cases = list(product(range(places[0]), range(places[1]), range(4)))
    number = torch.tensor(cases)
    index = torch.arange(len(cases)) % len(images)
    pads = [nothing(len(cases))] * (len(steps) - 1)
    for order, draws in (
        ([crop, flip], [*pads, number[:, :2], number[:, 2:]]),
        ([flip, crop], [number[:, 2:], *pads, number[:, :2]]),
    ):
        found = batched(order, images, index, draws)
        for case, (top, left, turn) in enumerate(cases):
            chosen = {crop: (top, left), flip: [*DIRECTIONS, None][turn]}
            expected = ordinary(order, images[index[case]], chosen)
            np.testing.assert_array_equal(found[case], expected)


PADS = [
    dict(size=(9, 8), pad_val=3),
    dict(size=(9, 8), pad_val=dict(img=(1, 2, 3))),
    dict(size=(5, 12), padding_mode='edge'),
    dict(size=(11, 12), padding_mode='reflect'),
    dict(size_divisor=4, padding_mode='symmetric'),
    dict(pad_to_square=True, pad_val=8),
]


@pytest.mark.parametrize('settings', PADS)
def test_pads_of_several_colours_lie_over_each_other(ordinary, batched, images, settings):
    crop, pad = RandomCrop(crop_size=6, padding=2, pad_val=7), Pad(**settings)
    cases = list(product(range(6), range(5)))
    index = torch.zeros(len(cases), dtype=torch.long)
    chain = [crop, pad, CenterCrop((5, 7)), Pad(size=(8, 8), pad_val=7)]
    draws = [nothing(30), torch.tensor(cases), *[nothing(30)] * 3]
    steps = Geometry(chain, images.shape[1:])._steps
    found = batched(chain, images, index, draws[: len(steps)])
    for case, place in enumerate(cases):
        np.testing.assert_array_equal(found[case], ordinary(chain, images[0], {crop: place}))


def test_equal_colours_share_a_row():
    both = [RandomCrop(4, padding=1), RandomCrop(4, padding=1)]
    assert len(Geometry(both, (6, 6, 3)).colours) == 1
    other = [RandomCrop(4, padding=1), RandomCrop(4, padding=1, pad_val=3)]
    assert Geometry(other, (6, 6, 3)).colours.tolist() == [[0, 0, 0], [3, 0, 0]]  # OpenCV's


def shares(values, number):
    return np.bincount(values, minlength=number) / len(values)


@pytest.mark.parametrize('prob', [0.3, [0.1, 0.4, 0.2]])
def test_draws_have_the_distribution_of_the_transforms(prob):
    crop = RandomCrop(crop_size=(5, 6), padding=(1, 2))
    flip = RandomFlip(prob=prob, direction=DIRECTIONS)
    geometry = Geometry([crop, flip], (7, 6, 3))
    draws = geometry.draw(8000, torch.Generator().manual_seed(0))
    _, places, turns = draws
    rng_state = np.random.get_state()  # noqa: NPY002
    np.random.seed(0)  # noqa: NPY002
    picture = np.zeros((11, 8, 3), dtype=np.uint8)
    theirs = np.array([crop.rand_crop_params(picture)[:2] for _ in range(8000)])
    directions = [flip._choose_direction() for _ in range(8000)]
    np.random.set_state(rng_state)  # noqa: NPY002
    joint = shares(places[:, 0] * 3 + places[:, 1], 21)
    np.testing.assert_allclose(joint, shares(theirs[:, 0] * 3 + theirs[:, 1], 21), atol=0.016)
    np.testing.assert_allclose(joint, 1 / 21, atol=0.011)
    named = [[*DIRECTIONS, None].index(direction) for direction in directions]
    np.testing.assert_allclose(shares(turns.flatten(), 4), shares(named, 4), atol=0.03)
    expected = [0.1] * 3 + [0.7] if prob == 0.3 else [*prob, 0.3]
    np.testing.assert_allclose(shares(turns.flatten(), 4), expected, atol=0.02)
    # places and flips don't depend on each other
    corner = (places == 0).all(dim=1)
    np.testing.assert_allclose(shares(turns.flatten()[corner], 4), expected, atol=0.09)
    names = geometry.directions(draws)
    assert names[:50] == [[*DIRECTIONS, None][turn] for turn in turns.flatten().tolist()[:50]]
