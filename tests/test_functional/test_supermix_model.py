"""SuperMix's linear model of a teacher: its evidence, its masks, and the solver that uses it."""

import pytest
import torch

from mmtmix.functional import (
    MaskModel,
    SuperMixSettings,
    evidence_from_cams,
    evidence_from_saliency,
    normalize_masks,
    solve_masks,
)

SAMPLES = torch.arange(3)


@pytest.fixture
def problem():
    """Two images: the first one's class is on the left, the second one's on the right."""
    evidence = torch.zeros(3, 2, 5, 8, 8)
    evidence[:, 0, 0, :, :4] = 12
    evidence[:, 1, 1, :, 4:] = 12
    weights = torch.tensor([[0.5, 0.5], [0.7, 0.3], [0.3, 0.7]])
    return evidence, torch.tensor([[0, 1]] * 3), weights


@pytest.fixture
def first_masks(problem):
    return MaskModel(*problem, SuperMixSettings()).improve(SAMPLES, torch.zeros(3, 2, 8, 8))


@pytest.mark.parametrize('side', [4, 7, 8, 16])
def test_the_mean_of_the_evidence_of_cams_is_the_logit(side):
    cams, logits = torch.randn(2, 5, side, side), torch.randn(2, 5)
    evidence = evidence_from_cams(cams, logits, 8)
    assert evidence.shape == (2, 5, 8, 8)
    torch.testing.assert_close(evidence.mean(dim=(2, 3)), logits)
    if side == 8:  # only shifted
        difference = evidence - cams
        torch.testing.assert_close(difference, difference[..., :1, :1].expand_as(cams))


def test_the_evidence_of_saliency_is_half_of_the_margin_and_for_one_class():
    logits = torch.tensor([[1.0, 5.0, 3.0]])
    evidence = evidence_from_saliency(torch.rand(1, 1, 4, 4), logits, torch.tensor([1]), 8)
    assert evidence.shape == (1, 3, 8, 8)
    expected = torch.tensor([[0, (5 - (1 + 3) / 2) / 2, 0]])
    torch.testing.assert_close(evidence.mean(dim=(2, 3)), expected)
    nothing = evidence_from_saliency(torch.zeros(1, 1, 4, 4), logits, torch.tensor([1]), 8)
    assert not nothing.any()


def test_each_image_is_shown_where_its_evidence_is(first_masks):
    assert first_masks.shape == (3, 2, 8, 8)
    assert not first_masks.requires_grad and first_masks.abs().max() <= 3.7001
    masks = normalize_masks(first_masks, (8, 8))
    assert (masks[:, 0, :, :3] > 0.6).all() and (masks[:, 1, :, 5:] > 0.6).all()


def test_a_larger_weight_gives_a_larger_area(first_masks):
    areas = normalize_masks(first_masks, (8, 8))[:, 0].mean(dim=(1, 2))
    assert areas[2] < areas[0] < areas[1]
    assert areas[0] == pytest.approx(0.5, abs=0.02)


def test_a_sample_depends_on_no_other(problem, first_masks):
    model = MaskModel(*(each[1:2] for each in problem), SuperMixSettings())
    alone = model.improve(SAMPLES[:1], torch.zeros(1, 2, 8, 8))
    torch.testing.assert_close(alone, first_masks[1:2])


def test_a_correction_shows_more_of_a_class_that_the_teacher_missed(problem, first_masks):
    model = MaskModel(*problem, SuperMixSettings())
    evidence, _, _ = problem
    masks = normalize_masks(first_masks, (8, 8))
    modelled = torch.einsum('nkhw,nkchw->nc', masks, evidence) / 64
    model.correct(SAMPLES, first_masks, modelled)  # the teacher agrees, so nothing changes
    unchanged = model.improve(SAMPLES, first_masks)
    torch.testing.assert_close(
        unchanged, MaskModel(*problem, SuperMixSettings()).improve(SAMPLES, first_masks)
    )
    missed = modelled - torch.tensor([0.0, 4.0, 0.0, 0.0, 0.0])
    model.correct(SAMPLES[:2], first_masks[:2], missed[:2])
    after = normalize_masks(model.improve(SAMPLES, first_masks), (8, 8))[:, 1].mean(dim=(1, 2))
    before = normalize_masks(unchanged, (8, 8))[:, 1].mean(dim=(1, 2))
    assert (after[:2] > before[:2] + 0.01).all()
    torch.testing.assert_close(after[2], before[2])


def test_masks_are_finite_for_evidence_without_information(problem):
    evidence, classes, weights = problem
    for maps in (evidence * 0, evidence * 1e4, -evidence):
        for labels in (classes, torch.zeros_like(classes)):
            model = MaskModel(maps, labels, weights, SuperMixSettings())
            assert model.improve(SAMPLES, torch.zeros(3, 2, 8, 8)).isfinite().all()


@pytest.mark.parametrize('mode', [torch.no_grad, torch.inference_mode, torch.enable_grad])
def test_the_solver_begins_with_the_masks_of_the_model_in_any_grad_mode(make_problem, mode):
    problem = make_problem(6)
    with mode():
        evidence = torch.randn(6, 2, 6, 8, 8, generator=torch.Generator().manual_seed(0))
        arguments = problem.images, problem.classes, problem.weights, problem.teacher
        found = solve_masks(*arguments, SuperMixSettings(max_iters=0), evidence)
    model = MaskModel(evidence, problem.classes, problem.weights, SuperMixSettings())
    first = model.improve(torch.arange(6), torch.zeros(6, 2, 8, 8))
    torch.testing.assert_close(found.masks.squeeze(2), normalize_masks(first, (12, 12)))


def test_the_first_two_steps_take_no_gradient_of_the_teacher(make_problem):
    problem = make_problem(12)
    modes = []

    def teacher(images):
        modes.append(torch.is_grad_enabled())
        return problem.teacher(images)

    settings = SuperMixSettings(max_iters=4, max_unfinished_ratio=0, min_change=0, min_iters=4)
    arguments = problem.images, problem.classes, problem.weights, teacher, settings
    solution = solve_masks(*arguments, torch.randn(12, 2, 6, 8, 8))
    assert modes == [False, False, True, True, False]  # the last one has no step after it
    assert (solution.iterations == 4).all()


def test_evidence_of_another_shape_is_refused(make_problem):
    problem = make_problem(6)
    arguments = problem.images, problem.classes, problem.weights, problem.teacher
    for shape in ((6, 2, 6, 4, 4), (6, 3, 6, 8, 8), (6, 2, 8, 8)):
        with pytest.raises(ValueError, match=r'evidence must be \(N, k, num_classes, mask_size'):
            solve_masks(*arguments, evidence=torch.zeros(shape))
