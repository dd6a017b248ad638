"""How well a teacher reads a mix, against plain Python."""

import math

import pytest
import torch
import torch.nn.functional as F

from mmtmix.functional import soft_cross_entropy, top_classes_match


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
