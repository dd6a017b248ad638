"""The Jensen-Shannon divergence against its formula, written out in numpy."""

import math

import numpy as np
import pytest
import torch

from mmtmix.functional import jensen_shannon


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
