"""Cuts of grids against all labellings; moves of labels against cuts."""

import itertools
import sys

import pytest
import torch

from mmtmix.functional import cut_grids, grid_energy, load_maxflow, move_labels

pytestmark = pytest.mark.host


def make_terms(num_grids, num_labels, height, width, seed=0, smooth=0.5):
    generator = torch.Generator().manual_seed(seed)
    unary = torch.randn(num_grids, num_labels, height, width, generator=generator)
    down = smooth * torch.rand(num_grids, height - 1, width, generator=generator)
    right = smooth * torch.rand(num_grids, height, width - 1, generator=generator)
    return unary, down, right


def energy_of(unary, down, right, labels):
    """The energy of one grid, term by term."""
    num_labels, height, width = unary.shape
    energy = 0.0
    for y, x in itertools.product(range(height), range(width)):
        energy += float(unary[labels[y][x], y, x])
        if y + 1 < height:
            energy += (
                float(down[y, x]) * ((labels[y][x] - labels[y + 1][x]) / (num_labels - 1)) ** 2
            )
        if x + 1 < width:
            energy += (
                float(right[y, x]) * ((labels[y][x] - labels[y][x + 1]) / (num_labels - 1)) ** 2
            )
    return energy


def least_energy(unary, down, right):
    num_labels, height, width = unary.shape
    return min(
        energy_of(unary, down, right, [flat[y * width : (y + 1) * width] for y in range(height)])
        for flat in itertools.product(range(num_labels), repeat=height * width)
    )


@pytest.mark.parametrize(
    ('num_labels', 'height', 'width'),
    [(2, 3, 3), (3, 2, 3), (3, 1, 5), (3, 4, 1), (4, 2, 2), (5, 1, 1)],
)
@pytest.mark.parametrize('smooth', [0.1, 1.0, 5.0])
def test_no_labelling_has_less_energy(num_labels, height, width, smooth):
    terms = make_terms(4, num_labels, height, width, smooth=smooth)
    labels = cut_grids(*terms)
    assert labels.shape == (4, height, width)
    assert labels.dtype == torch.int64
    reported = grid_energy(*terms, labels)
    for n in range(4):
        one = [term[n] for term in terms]
        energy = energy_of(*one, labels[n].tolist())
        assert energy == pytest.approx(least_energy(*one), abs=1e-6)
        assert energy == pytest.approx(float(reported[n]), abs=1e-5)


def test_grids_of_a_batch_do_not_touch():
    terms = make_terms(5, 3, 4, 6)
    together = cut_grids(*terms)
    for n in range(5):
        assert torch.equal(together[n], cut_grids(*(term[n : n + 1] for term in terms))[0])


def test_without_weights_each_cell_takes_its_best_label():
    unary, down, right = make_terms(3, 4, 3, 5)
    labels = cut_grids(unary, torch.zeros_like(down), torch.zeros_like(right))
    assert torch.equal(labels, unary.argmin(dim=1))


def test_under_large_weights_all_cells_agree():
    unary, down, right = make_terms(3, 3, 3, 5)
    labels = cut_grids(unary, down + 1e3, right + 1e3)
    expected = unary.sum(dim=(2, 3)).argmin(dim=1)
    assert torch.equal(labels, expected[:, None, None].expand_as(labels))


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16, torch.float64])
def test_any_dtype_is_cut_and_nothing_is_written_to(dtype):
    terms = [term.to(dtype) for term in make_terms(2, 3, 3, 2)]
    before = [term.clone() for term in terms]
    expected = cut_grids(*(term.double() for term in terms))
    assert torch.equal(cut_grids(*terms), expected)
    assert all(torch.equal(a, b) for a, b in zip(terms, before, strict=True))


@pytest.mark.parametrize('value', [float('nan'), float('inf')])
def test_costs_that_are_not_finite_are_refused(value):
    unary, down, right = make_terms(1, 3, 2, 2)
    unary[0, 1, 1, 1] = value
    with pytest.raises(ValueError, match='unary holds NaN or infinity; clamp'):
        cut_grids(unary, down, right)


@pytest.mark.parametrize(('name', 'value'), [('down', -0.5), ('right', float('nan'))])
def test_weights_below_zero_are_refused(name, value):
    terms = dict(zip(('unary', 'down', 'right'), make_terms(1, 3, 2, 2), strict=True))
    terms[name][0, 0, 0] = value
    with pytest.raises(ValueError, match=f'{name} must be >= 0, got {value}.*raise it to 0'):
        cut_grids(**terms)


def test_shapes_that_do_not_fit_are_refused():
    unary, down, right = make_terms(1, 3, 2, 4)
    with pytest.raises(ValueError, match=r'right must be of shape \(1, 2, 3\).*got \(1, 1, 4\)'):
        cut_grids(unary, down, down)
    with pytest.raises(ValueError, match=r'two labels or more.*got shape \(1, 1, 2, 4\)'):
        cut_grids(unary[:, :1], down, right)


def test_without_the_library_the_error_says_what_to_install(monkeypatch):
    assert load_maxflow().GraphFloat
    monkeypatch.setitem(sys.modules, 'maxflow', None)
    for call in (load_maxflow, lambda: cut_grids(*make_terms(1, 3, 2, 2))):
        with pytest.raises(ImportError, match=r"pip install PyMaxflow.*'mmtmix\[puzzle\]'"):
            call()


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


def test_moves_without_the_library_name_it_too(monkeypatch):
    unary, pairwise = make_problem(1, 2, 2, 2)
    monkeypatch.setitem(sys.modules, 'maxflow', None)
    with pytest.raises(ImportError, match='pip install PyMaxflow'):
        move_labels(unary, pairwise, unary.argmin(dim=1))
