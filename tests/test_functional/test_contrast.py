"""The parts of CRD against what they stand for, written out."""

import math

import pytest
import torch

from mmtmix.functional import (
    ClassOrder,
    bank_scores,
    contrast,
    contrast_loss,
    log_normalizer,
)

# unequal classes, one of them empty, in no order
LABELS = torch.tensor([3, 0, 1, 3, 3, 0, 3, 1, 3, 3, 4])


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def test_class_order_sorts_the_samples():
    order = ClassOrder.of(LABELS)
    assert order.counts.tolist() == [2, 2, 0, 6, 1]
    assert order.starts.tolist() == [0, 2, 4, 4, 10]
    assert order.samples.tolist() == [1, 5, 2, 7, 0, 3, 4, 6, 8, 9, 10]


def test_others_are_of_other_classes_and_all_equally_likely():
    classes, number = torch.tensor([3, 0, 1, 3, 4, 2]), 20_000
    drawn = ClassOrder.of(LABELS).draw_others(classes, number, seeded())
    assert (drawn.shape, drawn.dtype) == ((6, number), torch.int64)
    for own, row in zip(classes, drawn, strict=True):
        counts, others = row.bincount(minlength=len(LABELS)), own != LABELS
        assert not counts[~others].any()
        expected = number / others.sum()
        chi_square = ((counts[others] - expected) ** 2 / expected).sum()
        # of at most 10 degrees of freedom: 1 in 10,000 is above 35
        assert chi_square < 35


def test_others_depend_on_the_generator_alone_and_rows_differ():
    order, classes = ClassOrder.of(LABELS), torch.tensor([3, 3])
    torch.manual_seed(0)
    first = order.draw_others(classes, 50, seeded(1))
    torch.manual_seed(1)
    assert torch.equal(first, order.draw_others(classes, 50, seeded(1)))
    assert not torch.equal(first, order.draw_others(classes, 50, seeded(2)))
    assert not torch.equal(first[0], first[1])


@pytest.fixture
def side():
    """Queries, a bank, and rows of it, some asked for twice."""
    queries = torch.randn(5, 6, generator=seeded(1))
    bank = torch.randn(40, 6, generator=seeded(2))
    index = torch.randint(40, (5, 8), generator=seeded(3))
    index[0, 1] = index[0, 0]
    return queries.requires_grad_(), bank, index


@pytest.mark.parametrize('rows', [None, 1, 16, 1000])
def test_scores_and_gradients_are_those_of_gathered_rows(side, monkeypatch, rows):
    queries, bank, index = side
    used = []
    if rows is not None:  # else a product with the whole bank
        monkeypatch.setattr(contrast, '_PRODUCT_LIMIT', 0)
        monkeypatch.setattr(contrast, '_GATHER_ROWS', rows)
        apply = contrast._GatheredScores.apply
        monkeypatch.setattr(
            contrast._GatheredScores, 'apply', lambda *args: used.append(1) or apply(*args)
        )
    upstream = torch.randn(5, 8, generator=seeded(4))
    found = bank_scores(queries, bank, index)
    (gradient,) = torch.autograd.grad(found, queries, upstream)
    expected = torch.einsum('nd,nkd->nk', queries, bank[index])
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(gradient, torch.autograd.grad(expected, queries, upstream)[0])
    assert bool(used) == (rows is not None)
    assert not bank.requires_grad


def test_a_bank_is_gathered_from_when_it_is_much_larger_than_what_is_asked_for(monkeypatch):
    gathered = []
    monkeypatch.setattr(contrast._GatheredScores, 'apply', lambda *args: gathered.append(1))
    index = torch.zeros(1, 2, dtype=torch.long)
    for rows in (32, 33):
        bank_scores(torch.zeros(1, 3), torch.zeros(rows, 3), index)
        assert len(gathered) == rows - 32


def test_contrast_loss_is_the_papers_formula():
    scores = 2 * torch.randn(4, 1 + 9, generator=seeded(), dtype=torch.float64)
    scores.requires_grad_()
    log_z, num_samples = torch.tensor(3.0, dtype=torch.float64), 50
    found = contrast_loss(scores, log_z, num_samples)
    odds = 9 / num_samples
    expected = 0
    for row in scores:
        probability = row.exp() / math.exp(3.0)
        expected -= torch.log(probability[0] / (probability[0] + odds))
        expected -= sum(torch.log(odds / (negative + odds)) for negative in probability[1:])
    expected = expected / 4
    torch.testing.assert_close(found, expected)
    gradients = [torch.autograd.grad(loss, scores)[0] for loss in (found, expected)]
    torch.testing.assert_close(*gradients)


def test_contrast_loss_bears_scores_whose_exponential_overflows():
    scores = torch.tensor([[300.0, -300.0], [-300.0, 300.0]], requires_grad=True)
    loss = contrast_loss(scores, torch.tensor(0.0), 10)
    loss.backward()
    assert loss.isfinite() and scores.grad.isfinite().all()


def test_normalizer_makes_probabilities_average_to_one_over_the_samples():
    scores = torch.randn(6, 20, generator=seeded(), requires_grad=True)
    log_z = log_normalizer(scores, 30)
    assert not log_z.requires_grad
    mean = (scores.detach().exp() / log_z.exp()).mean()
    torch.testing.assert_close(mean, torch.tensor(1 / 30))
