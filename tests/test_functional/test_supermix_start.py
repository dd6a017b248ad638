"""SuperMix's start from saliency: what its masks show, and what the solver makes of them."""

import pytest
import torch

from mmtmix.functional import (
    SuperMixSettings,
    normalize_masks,
    solve_masks,
    start_from_saliency,
)


@pytest.fixture
def problem():
    """Two images: the first one's class is on the left, the second one's on the right."""
    saliency = torch.zeros(3, 2, 8, 8)
    saliency[:, 0, :, :4] = 1
    saliency[:, 1, :, 4:] = 1
    classes = torch.tensor([[0, 1]] * 3)
    logits = 12 * torch.eye(5)[classes]
    weights = torch.tensor([[0.5, 0.5], [0.7, 0.3], [0.3, 0.7]])
    return saliency, logits, classes, weights


def test_each_image_is_shown_where_it_is_salient(problem):
    raw = start_from_saliency(*problem)
    assert raw.shape == (3, 2, 8, 8)
    assert raw.dtype == torch.float32 and not raw.requires_grad
    assert raw.abs().max() <= 3
    masks = normalize_masks(raw, (8, 8))
    assert (masks[:, 0, :, :3] > 0.6).all() and (masks[:, 1, :, 5:] > 0.6).all()


def test_a_larger_weight_gives_a_larger_area(problem):
    areas = normalize_masks(start_from_saliency(*problem), (8, 8))[:, 0].mean(dim=(1, 2))
    assert areas[2] < areas[0] < areas[1]
    assert areas[0] == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize('mode', [torch.no_grad, torch.inference_mode, torch.enable_grad])
def test_a_sample_depends_on_no_other_and_on_no_grad_mode(problem, mode):
    expected = start_from_saliency(*problem)
    with mode():
        alone = start_from_saliency(*(each[1:2].clone() for each in problem))
    torch.testing.assert_close(alone, expected[1:2])


def test_masks_are_finite_for_maps_and_logits_without_information(problem):
    saliency, logits, classes, weights = problem
    repeated = torch.zeros_like(classes)
    for maps, scores in ((saliency * 0, logits), (saliency, logits * 0), (saliency, logits * 1e4)):
        for labels in (classes, repeated):
            assert start_from_saliency(maps, scores, labels, weights).isfinite().all()


def test_shapes_that_do_not_fit_are_refused(problem):
    saliency, logits, classes, weights = problem
    with pytest.raises(ValueError, match=r'saliency must be \(N, k, h, w\).*got \(3, 2, 8\)'):
        start_from_saliency(saliency[..., 0], logits, classes, weights)
    with pytest.raises(ValueError, match='saliency must be'):
        start_from_saliency(saliency, logits, classes[:2], weights)


def test_the_solver_begins_with_the_masks_of_its_start(make_problem):
    problem = make_problem(6)
    arguments = problem.images, problem.classes, problem.weights, problem.teacher
    still, start = SuperMixSettings(max_iters=0), torch.randn(6, 2, 8, 8)
    found = solve_masks(*arguments, still, start)
    torch.testing.assert_close(found.masks.squeeze(2), normalize_masks(start, (12, 12)))
    zeros = solve_masks(*arguments, start=torch.zeros(6, 2, 8, 8))
    assert torch.equal(zeros.masks, solve_masks(*arguments).masks)
    with pytest.raises(ValueError, match=r'start must be \(N, k, mask_size, mask_size\), here'):
        solve_masks(*arguments, start=start[..., :4])
