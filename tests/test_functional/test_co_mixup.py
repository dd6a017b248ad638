"""Co-Mixup's objective by loops, and its solver against all that there is to choose."""

import itertools

import pytest
import torch

from mmtmix.functional import (
    CoMixupSettings,
    co_mixup_objective,
    duplicate_costs,
    image_affinity,
    pool_saliency,
    solve_co_mixup,
)
from mmtmix.functional.co_mixup import _sweep

pytestmark = pytest.mark.host


def make_problem(num_groups=3, num_images=5, cells=(3, 4), omega=0.2, seed=0):
    generator = torch.Generator().manual_seed(seed)
    saliency = torch.rand(num_groups * num_images, 1, 12, 12, generator=generator) ** 4
    costs = -pool_saliency(saliency, cells).unflatten(0, (num_groups, num_images)).double()
    real = torch.ones(num_groups, num_images, dtype=torch.bool)
    saliency = saliency[:, 0].unflatten(0, (num_groups, num_images)).double()
    return costs, image_affinity(saliency, real, omega, window=2), real


def naive_objective(shares, costs, affinity, settings):
    """Of one group: shares[j][i][y][x], in loops."""
    num_mixes, num_images, height, width = shares.shape
    cells = height * width
    total = 0.0
    amounts = shares.sum(dim=(2, 3))
    for j in range(num_mixes):
        for y, x in itertools.product(range(height), range(width)):
            total += float((costs[:, y, x] * shares[j, :, y, x]).sum())
            for v, u in ((y + 1, x), (y, x + 1)):
                if v < height and u < width:
                    step = shares[j, :, y, x] - shares[j, :, v, u]
                    total += settings.beta / cells / 2 * float((step**2).sum())
        others = sum(amounts[k] for k in range(num_mixes) if k != j)
        for i in range(num_images):
            crowding = sum(float(affinity[i, k] * others[k]) for k in range(num_images))
            if crowding > settings.tau * cells:
                total += settings.gamma / cells * float(amounts[j, i]) * crowding
    return total


@pytest.mark.parametrize('tau', [0.0, 0.5, 0.83])
def test_the_objective_is_that_of_the_formula(tau):
    costs, affinity, _ = make_problem()
    settings = CoMixupSettings(tau=tau)
    shares = torch.rand(3, 5, 5, 3, 4, dtype=torch.float64)
    shares /= shares.sum(dim=2, keepdim=True)
    found = co_mixup_objective(shares, costs, affinity, settings)
    for g in range(3):
        expected = naive_objective(shares[g], costs[g], affinity[g], settings)
        assert float(found[g]) == pytest.approx(expected)


@pytest.mark.parametrize('seed', range(4))
@pytest.mark.parametrize('omega', [0.0, 0.001, 0.5])
@pytest.mark.parametrize('resolve', [True, False])
def test_the_objective_never_ends_above_its_start(seed, omega, resolve):
    costs, affinity, real = make_problem(omega=omega, seed=seed)
    settings = CoMixupSettings(sweeps=seed + 1, resolve=resolve)
    generator = torch.Generator().manual_seed(seed)
    shares, first, last = solve_co_mixup(costs, affinity, real, settings, generator)
    assert (last <= first).all()
    torch.testing.assert_close(co_mixup_objective(shares, costs, affinity, settings), last)
    torch.testing.assert_close(shares.sum(dim=2), torch.ones(3, 5, 3, 4).double())
    assert set(shares.unique().tolist()) <= {0.0, 0.5, 1.0}
    assert (shares == 0.5).any() == (settings.sweeps > 1)


def test_a_start_that_is_best_is_kept(monkeypatch):
    costs, affinity, real = make_problem(num_groups=1, num_images=2, cells=(1, 2))
    settings = CoMixupSettings()
    values = iter([-10.0, 3.0, 2.0, 1.0, 4.0])
    monkeypatch.setattr(
        'mmtmix.functional.co_mixup.co_mixup_objective',
        lambda *_: torch.tensor([next(values)]).double(),
    )
    generator = torch.Generator().manual_seed(0)
    shares, first, last = solve_co_mixup(costs, affinity, real, settings, generator)
    start = torch.rand(1, 2, 1, 2, generator=torch.Generator().manual_seed(0)) * 2
    assert torch.equal(shares.argmax(dim=2), start.long())
    assert float(first) == float(last) == -10.0


def test_no_choice_of_labels_is_beaten_and_the_best_is_often_found():
    kinds = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]]).double()
    reached = 0
    for seed in range(12):
        costs, affinity, real = make_problem(1, 2, (1, 2), seed=seed)
        settings = CoMixupSettings(tau=0.3)
        best = min(
            naive_objective(kinds[list(flat)].view(2, 1, 2, 2).permute(0, 3, 1, 2), *rest)
            for rest in [(costs[0], affinity[0], settings)]
            for flat in itertools.product(range(3), repeat=4)
        )
        generator = torch.Generator().manual_seed(seed)
        _, first, last = solve_co_mixup(costs, affinity, real, settings, generator)
        assert best - 1e-9 <= float(last) <= float(first)
        reached += float(last) < best + 0.05
    assert reached >= 6


def test_a_smaller_group_is_solved_with_its_own_images_alone():
    costs, affinity, real = make_problem(2, 4)
    real[1, 2:] = False
    saliency = torch.rand(2, 4, 12, 12).double()
    affinity = image_affinity(saliency, real, 0.3)
    generator = torch.Generator().manual_seed(0)
    shares, _, last = solve_co_mixup(costs, affinity, real, CoMixupSettings(), generator)
    assert not shares[1, 2:].any()
    assert not shares[1, :, 2:].any()
    torch.testing.assert_close(shares[1, :2].sum(dim=1), torch.ones(2, 3, 4).double())
    alone = co_mixup_objective(
        shares[1:, :2, :2], costs[1:, :2], affinity[1:, :2, :2], CoMixupSettings()
    )
    torch.testing.assert_close(alone, last[1:])


def test_without_diversity_all_mixes_show_what_is_most_salient():
    costs, affinity, real = make_problem()
    settings = dict(beta=0.0, sweeps=1)
    shares, _, _ = solve_co_mixup(costs, affinity, real, CoMixupSettings(gamma=0.0, **settings))
    expected = costs.argmin(dim=1)[:, None].expand(-1, 5, -1, -1)
    assert torch.equal(shares.argmax(dim=2), expected)
    shares, _, _ = solve_co_mixup(costs, affinity, real, CoMixupSettings(**settings))
    used = shares.sum(dim=(1, 3, 4))
    assert used.min() > 0.5 * 12  # every image is dealt out somewhere


def test_smoothness_joins_cells():
    costs, affinity, real = make_problem()
    counts = []
    for beta in (0.0, 0.3, 50.0):
        generator = torch.Generator().manual_seed(0)
        settings = CoMixupSettings(beta=beta, sweeps=1)
        shares, _, _ = solve_co_mixup(costs, affinity, real, settings, generator)
        counts.append(float((shares.diff(dim=3) != 0).sum() + (shares.diff(dim=4) != 0).sum()))
    assert counts[0] > counts[1] > counts[2] == 0


def test_duplicates_drop_one_image_each():
    amounts = torch.tensor([[[3, 2, 0], [1, 4, 0], [0, 5, 0], [0, 5, 0], [2, 2, 1.0]]])
    expected = torch.zeros(1, 5, 3)
    expected[0, 0, 0] = expected[0, 1, 1] = 1  # those of one image stay alike
    assert torch.equal(duplicate_costs(amounts), expected)
    thrice = torch.tensor([[[1, 1, 0], [1, 1, 0], [2, 1, 0.0]]])
    expected = torch.tensor([[[1, 0, 0], [1, 1, 0], [0, 1, 0.0]]])
    assert torch.equal(duplicate_costs(thrice), expected)


def test_resolving_leaves_fewer_mixes_of_the_same_images():
    counts = []
    for resolve in (False, True):
        settings = CoMixupSettings(gamma=1.0, resolve=resolve)
        pairs = 0
        for seed in range(12):
            costs, affinity, real = make_problem(4, 3, (2, 2), omega=0.5, seed=seed)
            generator = torch.Generator().manual_seed(seed)
            shares, _, _ = solve_co_mixup(costs, affinity, real, settings, generator)
            for mixes in (shares.sum(dim=(3, 4)) > 0).tolist():
                shown = [tuple(mix) for mix in mixes if sum(mix) > 1]
                pairs += len(shown) - len(set(shown))
        counts.append(pairs)
    assert counts[1] < counts[0]


def test_an_extra_cost_has_a_mix_drop_the_image():
    shares = torch.full((1, 2, 2, 2, 2), 0.5).double()
    extra = torch.tensor([[[1.0, 0.0], [0.0, 1.0]]]).double()
    nothing = torch.zeros(1, 2, 2).double()
    swept = _sweep(
        shares,
        costs=torch.zeros(1, 2, 2, 2).double(),
        affinity=nothing,
        extra=extra,
        active=torch.ones(2, 1, dtype=torch.bool),
        settings=CoMixupSettings(beta=0.0, gamma=4.0),
        halves=False,
    )
    assert torch.equal(swept.mean(dim=(3, 4)), 1 - extra)


def test_affinity_is_the_distance_of_salient_places():
    saliency = torch.zeros(1, 3, 6, 8)
    for image, (y, x) in enumerate([(0, 0), (5, 7), (0, 7)]):
        saliency[0, image, y, x] = 1
    real = torch.ones(1, 3, dtype=torch.bool)
    distances = torch.tensor([[0, 12, 7], [12, 0, 5], [7, 5, 0.0]])
    expected = 0.75 * torch.eye(3) + 0.25 * 3 * distances / distances.sum()
    torch.testing.assert_close(image_affinity(saliency, real, 0.25, window=1)[0], expected)
    real[0, 2] = False
    expected = torch.zeros(3, 3)
    expected[:2, :2] = torch.tensor([[0.75, 0.25], [0.25, 0.75]])
    torch.testing.assert_close(image_affinity(saliency, real, 0.25, window=1)[0], expected)
    same = image_affinity(torch.ones(1, 3, 4, 4), torch.ones(1, 3, dtype=torch.bool), 0.25)
    torch.testing.assert_close(same[0], 0.75 * torch.eye(3))


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        (dict(beta=-0.1), 'beta must be a finite number >= 0, got -0.1'),
        (dict(gamma=float('nan')), 'gamma must be a finite number >= 0, got nan'),
        (dict(tau=-1), 'tau must be a finite number >= 0, got -1'),
        (dict(sweeps=0), 'sweeps must be an integer >= 1, got 0'),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        CoMixupSettings(**settings)
