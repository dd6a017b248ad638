"""The factor of a clean cross entropy, beside the losses that classifiers train with."""

import pytest
import torch
import torch.nn.functional as F
from mmpretrain.registry import MODELS
from torch import nn

from mmtmix.models.losses import clean_factor

pytestmark = pytest.mark.host

NUM_CLASSES = 200


def classifier(loss, where='head'):
    """A classifier whose loss is its head's, or its own as a TimmClassifier's is."""
    model = nn.Module()
    owner = model
    if where == 'head':
        owner = model.head = nn.Module()
    owner.loss_module = MODELS.build(dict(loss, _scope_='mmpretrain'))
    return model


@pytest.mark.parametrize('where', ['head', 'model'])
@pytest.mark.parametrize(
    ('loss', 'expected'),
    [
        (dict(type='CrossEntropyLoss'), 1.0),
        (dict(type='CrossEntropyLoss', use_soft=True, loss_weight=0.5), 0.5),
        (dict(type='LabelSmoothLoss', label_smooth_val=0.1), 1.0),
        (dict(type='SoftmaxBCELoss'), 0.01),
        (dict(type='SoftmaxBCELoss', loss_weight=3.0), 0.03),
    ],
)
def test_the_factor_belongs_to_the_loss(loss, expected, where):
    assert clean_factor(classifier(loss, where), NUM_CLASSES) == pytest.approx(expected)


@pytest.mark.parametrize(
    'loss',
    [
        dict(type='CrossEntropyLoss', use_sigmoid=True),
        dict(type='CrossEntropyLoss', reduction='sum'),
        dict(type='LabelSmoothLoss', label_smooth_val=0.1, use_sigmoid=True),
        dict(type='FocalLoss'),
    ],
)
def test_a_loss_of_which_none_is_known_is_refused(loss):
    with pytest.raises(ValueError, match=f'the loss {loss["type"]}.* set clean_factor'):
        clean_factor(classifier(loss), NUM_CLASSES)


@pytest.mark.parametrize('model', [nn.Linear(1, 1), nn.ModuleDict(dict(head=nn.Linear(1, 1)))])
def test_a_model_without_a_loss_is_refused(model):
    with pytest.raises(ValueError, match='no loss_module'):
        clean_factor(model, NUM_CLASSES)


def test_clean_and_mixed_images_then_pull_about_as_hard():
    """Of equal logits, the gradients of both losses are within a factor of 2."""
    logits = torch.randn(64, NUM_CLASSES, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(64)
    logits[labels, labels] += 6  # as once it has learned
    for loss in (dict(type='CrossEntropyLoss'), dict(type='SoftmaxBCELoss')):
        model = classifier(loss)
        logits.requires_grad_()
        (mixed,) = torch.autograd.grad(model.head.loss_module(logits, labels), logits)
        clean = clean_factor(model, NUM_CLASSES) * F.cross_entropy(logits, labels)
        (clean,) = torch.autograd.grad(clean, logits)
        assert 0.5 < clean.norm() / mixed.norm() < 2
