"""Moves of labels on grids: never up, and down as far as a cut reaches."""

import itertools
import sys

import pytest
import torch

from mmtmix.functional import move_labels

pytestmark = pytest.mark.host


def make_problem(num_grids, num_labels, height, width, metric=True, seed=0):
    generator = torch.Generator().manual_seed(seed)
    unary = torch.rand(num_grids, num_labels, height, width, generator=generator).double()
    points = torch.rand(num_grids, num_labels, 3, generator=generator).double()
    pairwise = torch.cdist(points, points)
    return unary, 0.5 * (pairwise if metric else 2 * pairwise.square())


def energy(unary, pairwise, labels):
    """Of one grid, in loops."""
    height, width = len(labels), len(labels[0])
    total = 0.0
    for y, x in itertools.product(range(height), range(width)):
        total += float(unary[labels[y][x], y, x])
        for v, u in ((y + 1, x), (y, x + 1)):
            if v < height and u < width:
                total += float(pairwise[labels[y][x], labels[v][u]])
    return total


def least(unary, pairwise):
    num_labels, height, width = unary.shape
    every = itertools.product(range(num_labels), repeat=height * width)
    return min(
        energy(unary, pairwise, [flat[y * width : (y + 1) * width] for y in range(height)])
        for flat in every
    )


def test_two_labels_are_solved_exactly_from_anywhere():
    unary, pairwise = make_problem(5, 2, 2, 3)
    for start in (0, 1):
        labels = move_labels(unary, pairwise, torch.full((5, 2, 3), start))
        for n in range(5):
            found = energy(unary[n], pairwise[n], labels[n].tolist())
            assert found == pytest.approx(least(unary[n], pairwise[n]))


@pytest.mark.parametrize('metric', [True, False])
@pytest.mark.parametrize('shape', [(2, 2), (1, 5), (1, 1)])
def test_energy_falls_to_within_two_percent_of_the_least(metric, shape):
    unary, pairwise = make_problem(8, 4, *shape, metric=metric)
    start = torch.randint(4, (8, *shape), generator=torch.Generator().manual_seed(1))
    before = start.clone(), unary.clone(), pairwise.clone()
    labels = move_labels(unary, pairwise, start)
    best = found = 0.0
    for n in range(8):
        one = unary[n], pairwise[n]
        assert energy(*one, labels[n].tolist()) <= energy(*one, start[n].tolist()) + 1e-9
        found += energy(*one, labels[n].tolist())
        best += least(*one)
    assert best - 1e-9 <= found <= 1.02 * best
    assert all(torch.equal(a, b) for a, b in zip(before, (start, unary, pairwise), strict=True))


@pytest.mark.parametrize('max_cycles', [1, 4])
def test_where_pairs_are_no_metric_no_move_goes_up(max_cycles):
    # from a to b costs more than by way of their middle, as squared distances do
    points = torch.tensor([[0.0], [2.0], [1.0], [5.0]]).double()
    pairwise = 0.2 * (points[:, None] - points).square().sum(dim=2).expand(30, 4, 4)
    unary = torch.rand(30, 4, 4, 5, generator=torch.Generator().manual_seed(2)).double()
    labels = start = unary.argmin(dim=1)
    for _ in range(3):
        moved = move_labels(unary, pairwise, labels, max_cycles)
        for n in range(30):
            one = unary[n], pairwise[n]
            assert energy(*one, moved[n].tolist()) <= energy(*one, labels[n].tolist()) + 1e-9
        labels = moved
    assert not torch.equal(labels, start)


def test_grids_do_not_touch():
    unary, pairwise = make_problem(4, 3, 3, 4)
    start = unary.argmin(dim=1)
    together = move_labels(unary, pairwise, start)
    for n in range(4):
        alone = move_labels(unary[n : n + 1], pairwise[n : n + 1], start[n : n + 1])
        assert torch.equal(together[n], alone[0])


def test_one_label_is_kept():
    labels = move_labels(*make_problem(2, 1, 2, 2), torch.zeros(2, 2, 2, dtype=torch.long))
    assert not labels.any()


def test_without_the_library_the_error_says_what_to_install(monkeypatch):
    unary, pairwise = make_problem(1, 2, 2, 2)
    monkeypatch.setitem(sys.modules, 'maxflow', None)
    with pytest.raises(ImportError, match='pip install PyMaxflow'):
        move_labels(unary, pairwise, unary.argmin(dim=1))
