"""PuzzleMix's loss against torch's own binary cross entropy."""

import pytest
import torch
from mmpretrain.registry import MODELS
from torch import nn

from mmtmix.models import SoftmaxBCELoss

pytestmark = pytest.mark.host


@pytest.fixture
def logits():
    return torch.randn(6, 5, generator=torch.Generator().manual_seed(0)).requires_grad_()


@pytest.mark.parametrize('soft', [True, False])
def test_it_is_bce_on_the_softmax_with_its_gradient(logits, soft):
    labels = torch.tensor([0, 1, 2, 3, 4, 0])
    targets = torch.nn.functional.one_hot(labels, 5).float()
    if soft:
        targets = 0.3 * targets + 0.7 * targets.roll(1, dims=0)
    loss = SoftmaxBCELoss()(logits, targets if soft else labels, avg_factor=6)
    expected = nn.BCELoss()(logits.softmax(dim=1), targets)
    torch.testing.assert_close(loss, expected)
    (ours,) = torch.autograd.grad(loss, logits, retain_graph=True)
    (theirs,) = torch.autograd.grad(expected, logits)
    torch.testing.assert_close(ours, theirs)


def test_sure_logits_stay_finite():
    logits = torch.tensor([[200.0, 0.0], [0.0, 200.0]], requires_grad=True)
    loss = SoftmaxBCELoss()(logits, torch.tensor([1, 1]))
    loss.backward()
    assert loss.isfinite() and logits.grad.isfinite().all()


def test_a_head_takes_it_in_half_precision(logits):
    head = dict(type='LinearClsHead', num_classes=5, in_channels=5)
    head = MODELS.build(dict(head, loss=dict(type='SoftmaxBCELoss'), _scope_='mmpretrain'))
    with torch.autocast('cpu', torch.bfloat16):
        scores = head((logits,))
        loss = head.loss_module(scores, torch.eye(6)[:, :5], avg_factor=6)
    assert loss.dtype == torch.float32


def test_the_weight_is_a_factor(logits):
    labels = torch.zeros(6, dtype=torch.long)
    torch.testing.assert_close(
        SoftmaxBCELoss(3.0)(logits, labels), 3 * SoftmaxBCELoss()(logits, labels)
    )
    with pytest.raises(ValueError, match='loss_weight must be a finite number >= 0, got -1'):
        SoftmaxBCELoss(-1)
