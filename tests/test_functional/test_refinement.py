"""Refined saliency, against loops over pixels."""

import math
import statistics

import pytest
import torch

from mmtmix.functional import colour_evidence, min_max, resize_map, spread_by_colour

SIDES = ((-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1))


@pytest.fixture
def images(generator):
    return torch.randn(2, 3, 6, 5, generator=generator)


@pytest.fixture
def maps(generator):
    return torch.rand(2, 1, 6, 5, generator=generator)


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(3)


def scene(colours=(1.0, -1.0), size=12):
    """A square of one colour on another, and a coarse map of which it is a part."""
    mask = torch.zeros(1, 1, size, size)
    mask[..., 3:8, 4:9] = 1
    image = torch.where(mask > 0, colours[0], colours[1]).expand(-1, 3, -1, -1)
    coarse = torch.zeros(1, 1, 3, 3)
    coarse[..., 1, 1] = 1
    return image, mask, coarse


def logit(value):
    return math.log(value / (1 - value))


def sigmoid(value):
    return 1 / (1 + math.exp(-value))


def kernel(image, first, second, bandwidth):
    squares = sum((image[(c, *first)] - image[(c, *second)]) ** 2 for c in range(len(image)))
    return math.exp(-float(squares) / (2 * bandwidth**2))


@pytest.mark.parametrize(('num_anchors', 'step'), [(30, 1), (256, 1), (9, 2)])
def test_colour_evidence_of_a_loop(images, maps, num_anchors, step):
    found = colour_evidence(images, maps, bandwidth=0.7, rounds=2, num_anchors=num_anchors)
    for image, saliency, each in zip(images, min_max(maps), found, strict=True):
        places = [(r, c) for r in range(6) for c in range(5)]
        start = (5 % step // 2, 4 % step // 2)
        anchors = [(r, c) for r, c in places if r % step == start[0] and c % step == start[1]]
        prior = {at: min(max(float(saliency[(0, *at)]), 0.02), 0.98) for at in places}
        now = dict(prior)
        for _ in range(2):
            inside = sum(now[a] for a in anchors)
            outside = sum(1 - now[a] for a in anchors)
            after = {}
            for at in places:
                weights = {a: kernel(image, at, a, 0.7) for a in anchors}
                within = sum(weights[a] * now[a] for a in anchors) / inside
                without = sum(weights[a] * (1 - now[a]) for a in anchors) / outside
                evidence = math.log(within + 1e-6) - math.log(without + 1e-6)
                after[at] = sigmoid(logit(prior[at]) + evidence)
            now = after
        for at in places:
            assert float(each[(0, *at)]) == pytest.approx(now[at], abs=1e-4)


def test_spread_by_colour_of_a_loop(images, maps):
    found = spread_by_colour(images, maps, rounds=2, dilations=(1, 3), contrast=0.4)
    for image, before, each in zip(images, maps, found, strict=True):
        now = before[0].tolist()
        for _ in range(2):
            now = [[averaged(image, now, r, c) for c in range(5)] for r in range(6)]
        torch.testing.assert_close(each[0], torch.tensor(now), atol=1e-5, rtol=1e-4)


def averaged(image, values, row, column):
    around = [
        (min(max(row + y * d, 0), 5), min(max(column + x * d, 0), 4))
        for d in (1, 3)
        for y, x in SIDES
    ]
    differences = []
    for channel in image.tolist():
        sigma = statistics.stdev(channel[r][c] for r, c in around) + 1e-3
        own = channel[row][column]
        differences.append([abs(channel[r][c] - own) / (0.4 * sigma) for r, c in around])
    powers = [math.exp(-sum(each) / 3) for each in zip(*differences, strict=True)]
    values = [values[r][c] for r, c in around]
    return sum(p * v for p, v in zip(powers, values, strict=True)) / sum(powers)


@pytest.mark.parametrize('num_anchors', [256, 40])
def test_a_coarse_map_becomes_the_object(num_anchors):
    image, mask, coarse = scene()
    found = colour_evidence(image, coarse, num_anchors=num_anchors)
    assert torch.equal((found > 0.5).float(), mask)
    enlarged = resize_map(coarse, (12, 12))
    assert not torch.equal((enlarged > 0.5).float(), mask)


def test_averages_stay_within_an_object_and_a_range():
    image, mask, coarse = scene()
    enlarged = resize_map(coarse, (12, 12))
    found = spread_by_colour(image, enlarged, rounds=30)
    assert found[mask > 0].min() > found[mask == 0].max()
    assert found.min() >= enlarged.min() and found.max() <= enlarged.max()


def test_an_image_of_one_colour_keeps_its_map(maps):
    plain = torch.ones(2, 3, 6, 5)
    prior = min_max(maps).clamp(0.02, 0.98)
    torch.testing.assert_close(colour_evidence(plain, maps), prior)
    assert torch.equal(spread_by_colour(plain, maps, rounds=0), maps)


def test_constant_maps_and_large_values_stay_finite(images):
    for maps in (torch.zeros(2, 1, 3, 3), torch.full((2, 1, 3, 3), 5.0)):
        found = colour_evidence(1e3 * images, maps)
        assert found.isfinite().all() and spread_by_colour(images, found).isfinite().all()
