"""Hinton's loss as a term of a distillation."""

import pytest
import torch
from mmpretrain.registry import MODELS

from mmtmix.functional import kd_divergence
from mmtmix.models.losses import NetworkOutputs

pytestmark = pytest.mark.host
NOBODY = torch.empty(0, dtype=torch.long)


def build(**settings):
    return MODELS.build(dict(type='KDLoss', **settings))


def test_it_weighs_the_divergence_and_asks_for_logits_alone():
    loss = build(temperature=3.0, loss_weight=0.9)
    student, teacher = torch.randn(2, 4, 5, generator=torch.Generator().manual_seed(0))
    found = loss(NetworkOutputs(student), NetworkOutputs(teacher), NOBODY, seed=0)
    torch.testing.assert_close(found, 0.9 * kd_divergence(student, teacher, 3.0))
    assert (loss.name, loss.needs_features, loss.needs_index) == ('kd', False, False)


def test_it_has_nothing_to_keep():
    loss = build()
    loss.prepare(0, 0, torch.zeros(3, dtype=torch.long), seed=0)
    loss.after_step()
    assert not loss.state_dict()
    assert (loss.temperature, loss.loss_weight) == (4.0, 1.0)


@pytest.mark.parametrize(
    ('settings', 'said'),
    [
        (dict(temperature=0), 'temperature must be a finite number > 0, got 0'),
        (dict(temperature=float('nan')), 'temperature must be a finite number > 0, got nan'),
        (dict(loss_weight=-1), 'loss_weight must be a finite number >= 0, got -1'),
    ],
)
def test_arguments_out_of_range_are_refused(settings, said):
    with pytest.raises(ValueError, match=said):
        build(**settings)
