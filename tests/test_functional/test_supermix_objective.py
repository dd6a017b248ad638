"""What each of SuperMix's settings changes, and which values are refused."""

import math

import pytest
import torch

from mmtmix.functional import SuperMixSettings
from mmtmix.functional.mask_losses import sparsity, total_variation

FOREVER = dict(max_unfinished_ratio=0.0, min_change=0.0)


def fixed(steps):
    """Settings with which each sample takes that many steps."""
    return dict(FOREVER, min_iters=steps, max_iters=steps)


def test_a_batch_ends_when_no_larger_share_is_unfinished(make_problem):
    steps = []
    for ratio in (0.0, 0.25, 0.5, 1.0):
        solution = make_problem(12, 3).solve(max_unfinished_ratio=ratio, min_change=0.0)
        assert (~solution.finished).sum() <= 12 * ratio
        steps.append(solution.iterations.max().item())
    assert steps == sorted(steps, reverse=True)
    assert steps[0] > steps[1] > steps[2] > steps[3] == 0


@pytest.mark.parametrize('max_iters', [0, 1, 3])
def test_no_sample_takes_more_than_max_iters_steps(make_problem, max_iters):
    problem = make_problem(12, 4)
    solution = problem.solve(max_iters=max_iters, **FOREVER)
    longer = problem.solve(max_iters=6, **FOREVER)
    assert torch.equal(solution.iterations, longer.iterations.clamp(max=max_iters))
    assert torch.equal(solution.finished, longer.finished & (longer.iterations <= max_iters))
    if max_iters == 0:
        assert torch.equal(solution.masks, torch.full_like(solution.masks, 0.25))


@pytest.mark.parametrize('min_iters', [1, 3])
def test_no_sample_finishes_before_min_iters_steps(make_problem, min_iters):
    problem = make_problem(12, 2)
    assert (problem.solve().iterations < min_iters).any()
    solution = problem.solve(min_iters=min_iters)
    assert (solution.iterations >= min_iters).all()
    assert solution.finished.any()


def test_min_iters_are_taken_even_if_nothing_has_to_finish(make_problem):
    solution = make_problem(6).solve(min_iters=2, max_unfinished_ratio=1.0)
    assert solution.iterations.tolist() == [2] * 6


def test_samples_whose_masks_stop_moving_are_given_up(make_problem):
    problem = make_problem(6).still()
    solution = problem.solve(max_unfinished_ratio=0.0)
    assert not solution.finished.all()
    assert solution.iterations[~solution.finished].tolist() == [1] * (~solution.finished).sum()
    for settings in (dict(min_change=0.0), dict(method='sgd')):
        patient = problem.solve(max_unfinished_ratio=0.0, max_iters=7, **settings)
        assert torch.equal(patient.finished, solution.finished)
        assert (patient.iterations[~patient.finished] == 7).all()


@pytest.mark.parametrize('min_change', [0.004, 0.1, 0.3])
def test_what_is_given_up_is_unfinished_and_nothing_else_changes(make_problem, min_change):
    problem = make_problem(12, 4)
    patient = problem.solve(**FOREVER)
    solution = problem.solve(max_unfinished_ratio=0.0, min_change=min_change)
    done = solution.finished
    assert torch.equal(solution.iterations[done], patient.iterations[done])
    torch.testing.assert_close(solution.masks[done], patient.masks[done], atol=1e-3, rtol=0)
    assert (solution.iterations <= patient.iterations).all()
    if min_change > 0.004:
        assert (solution.iterations < patient.iterations).any()


@pytest.mark.parametrize('min_iters', [1, 2, 5])
def test_no_sample_is_given_up_before_it_may_finish(make_problem, min_iters):
    problem = make_problem(6).still()
    with torch.no_grad():
        problem.classes[:] = problem.teacher(problem.images[:, 0]).argmax(dim=1)[:, None]
    solution = problem.solve(min_iters=min_iters)
    assert solution.finished.all()
    assert solution.iterations.tolist() == [min_iters] * 6


def test_masks_have_as_many_degrees_of_freedom_as_mask_size_says(make_problem):
    masks = {size: make_problem().solve(mask_size=size, **fixed(1)).masks for size in (1, 2, 8)}
    spread = {size: mask.std(dim=(3, 4)).mean().item() for size, mask in masks.items()}
    assert spread[1] < 1e-6
    assert spread[2] > 1e-3
    # raw masks of 2 x 2 are linear between their centres: along a row, 2 of 12 odds are enough
    log_odds = (masks[2][:, 0, 0].double() / masks[2][:, 1, 0].double()).log()
    ends = log_odds[..., :3], log_odds[..., -3:]
    assert all((end - end[..., :1]).abs().max() < 1e-4 for end in ends)
    assert (masks[8][..., :3] - masks[8][..., :1]).abs().max() > 1e-2


def test_lambda_s_makes_masks_sparse(make_problem):
    values = []
    for weight in (0.0, 25.0, 250.0):
        solution = make_problem().solve(lambda_s=weight, **fixed(8))
        values.append(sparsity(solution.masks.squeeze(2)).mean().item())
    assert values[0] > 1.2 * values[1] > 1.2 * values[2]


@pytest.mark.parametrize('method', ['newton_tv', 'sgd'])
def test_lambda_sigma_makes_masks_smooth(make_problem, method):
    values = []
    for weight in (0.0, 1000.0):
        solution = make_problem().solve(method=method, lambda_sigma=weight, **fixed(4))
        values.append(total_variation(solution.masks.squeeze(2)).mean().item())
    assert values[0] > 1.2 * values[1]


def test_lambda_sigma_is_no_matter_to_smooth_projection(make_problem):
    first, second = (make_problem().solve(lambda_sigma=value).masks for value in (0.0, 1000.0))
    assert torch.equal(first, second)


def test_smoothing_is_no_matter_to_the_forward_divergence_only(make_problem):
    for divergence, same in (('forward', True), ('reverse', False)):
        settings = dict(divergence=divergence, **fixed(1))
        masks = [make_problem().solve(smoothing=value, **settings).masks for value in (1e-3, 0.5)]
        assert torch.equal(*masks) == same


INVALID = [
    *[('mask_size', value) for value in (0, -1, 8.0, None, True)],
    *[('sigma', value) for value in (0.0, -1.0, math.nan, '1', None)],
    *[('lambda_s', value) for value in (-1.0, math.nan, math.inf)],
    *[('lambda_sigma', value) for value in (-1.0, math.nan)],
    *[('max_iters', value) for value in (-1, 2.0)],
    *[('min_iters', value) for value in (-1, 1.0, 51)],
    *[('max_unfinished_ratio', value) for value in (-0.1, 1.1, math.nan)],
    *[('min_change', value) for value in (-0.1, math.nan)],
    *[
        ('step_range', value)
        for value in ((0.0, 1.0), (2.0, 1.0), (1.0, math.nan), (1.0,), 5.0, 'ab')
    ],
    *[('chunk_size', value) for value in (0, -1, 1.5)],
    *[('smoothing', value) for value in (0.0, 1.1, math.nan)],
    *[('lr', value) for value in (0.0, -0.1, math.nan)],
    *[(name, value) for name in ('divergence', 'method') for value in ('none', None)],
]


@pytest.mark.parametrize(('name', 'value'), INVALID)
def test_a_setting_out_of_its_range_is_refused_by_name(name, value):
    with pytest.raises((TypeError, ValueError), match=f'^{name} '):
        SuperMixSettings(**{name: value})


def test_settings_at_the_ends_of_their_ranges_are_taken():
    SuperMixSettings(
        mask_size=1,
        lambda_s=0,
        lambda_sigma=0,
        max_iters=0,
        max_unfinished_ratio=0,
        min_change=0,
        smoothing=1,
        step_range=[1.0, 1.0],
    )
    SuperMixSettings(max_unfinished_ratio=1, min_iters=50)
