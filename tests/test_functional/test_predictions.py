"""Comparisons of predictions, against plain Python and numpy."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from mmtmix.functional import jensen_shannon, kd_divergence, soft_cross_entropy, top_classes_match


def test_cross_entropy_of_soft_targets_is_the_textbook_sum():
    logits, targets = torch.randn(4, 5), torch.rand(4, 5).softmax(dim=1)
    losses = soft_cross_entropy(logits, targets)
    for scores, shares, loss in zip(logits.tolist(), targets.tolist(), losses, strict=True):
        log_total = math.log(sum(math.exp(score) for score in scores))
        expected = sum(s * (log_total - z) for s, z in zip(shares, scores, strict=True))
        assert loss.item() == pytest.approx(expected, rel=1e-5)


def test_cross_entropy_of_hard_targets_is_torchs():
    logits, classes = torch.randn(6, 4), torch.randint(4, (6,))
    expected = F.cross_entropy(logits, classes, reduction='none')
    torch.testing.assert_close(soft_cross_entropy(logits, F.one_hot(classes, 4)), expected)


def test_cross_entropy_is_float32_for_half_precision_logits():
    logits = torch.tensor([[60000.0, -60000.0]], dtype=torch.float16)
    loss = soft_cross_entropy(logits, torch.tensor([[0.0, 1.0]]))
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(120_000, rel=1e-3)


@pytest.mark.parametrize('num_mix', [2, 3, 4])
def test_top_classes_match_where_the_sets_are_equal(num_mix):
    generator = torch.Generator().manual_seed(0)
    logits = torch.rand(500, 5, generator=generator)
    classes = torch.randint(5, (500, num_mix), generator=generator)  # repeats included
    matches = top_classes_match(logits, classes)
    expected = []
    for scores, mixed in zip(logits.tolist(), classes.tolist(), strict=True):
        ranking = sorted(range(5), key=lambda c, scores=scores: -scores[c])
        expected.append(set(ranking[: len(set(mixed))]) == set(mixed))
    assert matches.tolist() == expected
    assert any(expected)
    assert not all(expected)


def test_a_repeated_class_only_has_to_be_the_top_one():
    logits = torch.tensor([[0.0, 3.0, 1.0]]).expand(2, 3)
    assert top_classes_match(logits, torch.tensor([[1, 1], [2, 2]])).tolist() == [True, False]


def test_more_images_than_classes_can_match():
    logits = torch.tensor([[0.0, 1.0]]).expand(2, 2)
    classes = torch.tensor([[0, 1, 1], [0, 0, 0]])
    assert top_classes_match(logits, classes).tolist() == [True, False]


@pytest.fixture
def sides():
    generator = torch.Generator().manual_seed(0)
    return [3 * torch.randn(5, 7, generator=generator) for _ in range(2)]


def softened(sides, temperature):
    powers = np.exp(sides.double().numpy() / temperature)
    return powers / powers.sum(axis=1, keepdims=True)


@pytest.mark.parametrize('temperature', [1.0, 4.0, 20.0])
def test_it_is_the_divergence_of_softened_predictions_times_the_squared_temperature(
    sides, temperature
):
    student, teacher = (softened(side, temperature) for side in sides)
    expected = temperature**2 * np.sum(teacher * np.log(teacher / student)) / 5
    found = kd_divergence(*sides, temperature)
    assert (found.shape, found.dtype) == ((), torch.float32)
    assert found.item() == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize('temperature', [1.0, 4.0])
def test_its_gradient_has_the_closed_form(sides, temperature):
    student, teacher = sides
    student.requires_grad_()
    kd_divergence(student, teacher, temperature).backward()
    sides = (softened(side.detach(), temperature) for side in sides)
    ours, theirs = (torch.from_numpy(side).float() for side in sides)
    torch.testing.assert_close(student.grad, temperature * (ours - theirs) / 5)


def test_the_temperature_is_four_by_default(sides):
    assert torch.equal(kd_divergence(*sides), kd_divergence(*sides, 4.0))


def test_the_teacher_gets_no_gradient(sides):
    student, teacher = (side.requires_grad_() for side in sides)
    kd_divergence(student, teacher).backward()
    assert student.grad.abs().sum() > 0
    assert teacher.grad is None


def test_equal_predictions_cost_nothing(sides):
    student = sides[0].requires_grad_()
    # a constant in all sides changes no prediction
    loss = kd_divergence(student, student.detach() + 5)
    loss.backward()
    assert loss.item() == pytest.approx(0, abs=1e-5)
    torch.testing.assert_close(student.grad, torch.zeros(5, 7))


def test_halves_are_distilled_in_full(sides):
    halves = [side.bfloat16() for side in sides]
    found = kd_divergence(*halves)
    assert found.dtype == torch.float32
    assert torch.equal(found, kd_divergence(*[half.float() for half in halves]))


@pytest.fixture
def logits():
    generator = torch.Generator().manual_seed(0)
    return [3 * torch.randn(5, 7, generator=generator) for _ in range(4)]


def by_hand(logits):
    views = [np.exp(view.double().numpy()) for view in logits]
    views = [view / view.sum(axis=1, keepdims=True) for view in views]
    middle = sum(views) / len(views)
    return sum((view * np.log(view / middle)).sum(axis=1) for view in views) / len(views)


@pytest.mark.parametrize('num_views', [2, 3, 4])
def test_it_is_the_mean_divergence_from_the_mean(logits, num_views):
    found = jensen_shannon(logits[:num_views])
    assert (found.shape, found.dtype) == ((5,), torch.float32)
    np.testing.assert_allclose(found, by_hand(logits[:num_views]), rtol=1e-4)


def test_the_authors_formula_is_the_same_where_it_clamps_nothing(logits):
    views = [view.softmax(dim=1) for view in logits[:3]]
    middle = (sum(views) / 3).clamp(1e-7, 1).log()
    terms = [torch.nn.functional.kl_div(middle, view, reduction='batchmean') for view in views]
    torch.testing.assert_close(jensen_shannon(logits[:3]).mean(), sum(terms) / 3)


def test_equal_views_cost_nothing_and_certain_opposites_log_v():
    view = torch.tensor([[3.0, -1.0, 0.5]])
    torch.testing.assert_close(jensen_shannon([view, view + 4, view]), torch.zeros(1))
    certain = [1e4 * row[None] for row in torch.eye(3)]
    torch.testing.assert_close(jensen_shannon(certain), torch.tensor([math.log(3)]))


def test_gradients_of_certain_views_are_finite():
    views = [(1e4 * row[None]).requires_grad_() for row in torch.eye(3)]
    jensen_shannon(views).sum().backward()
    assert all(view.grad.isfinite().all() for view in views)


def test_half_precision_is_compared_in_full(logits):
    halves = [view.bfloat16() for view in logits[:3]]
    assert torch.equal(jensen_shannon(halves), jensen_shannon([half.float() for half in halves]))


@pytest.mark.parametrize('shapes', [[], [(5, 7)], [(5, 7), (5, 6)]])
def test_views_that_do_not_fit_are_refused(shapes):
    with pytest.raises(ValueError, match='two or more views'):
        jensen_shannon([torch.zeros(shape) for shape in shapes])
