"""Distillation from a torch.nn.Module, whose config says neither classes nor features."""

import copy

import pytest
import torch
from torch import nn

pytestmark = pytest.mark.host
STATS = dict(mean=[120.0, 123.0, 126.0], std=[60.0, 62.0, 64.0], channel_order='rgb')


class Net(nn.Module):
    """Features of its last linear layer, and logits."""

    def __init__(self, num_classes=4):
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 3, stride=2)
        self.fc = nn.Linear(6, num_classes)

    def forward(self, images):
        return self.fc(self.conv(images).relu().mean(dim=(2, 3)))


def test_logits_and_features_of_a_module_are_learned_from(
    distill_runner, distill_hook, crd, scalars
):
    net = Net()
    before = copy.deepcopy(net.state_dict())
    losses = [dict(type='KDLoss'), crd]
    runner = distill_runner(dict(teacher=dict(model=net, **STATS), losses=losses))
    hook = distill_hook(runner)
    runner.hooks.remove(runner.seen)  # which knows MMPretrain's networks alone
    runner.train()
    logged = scalars(runner)
    assert all(torch.tensor(logged[f'loss_{name}']).gt(0).all() for name in ('kd', 'crd'))
    assert hook.objective.teacher.num_classes == 4
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert all(weight.requires_grad and weight.grad is None for weight in net.parameters())


def test_a_module_of_other_classes_is_refused_before_the_first_step(distill_runner, monkeypatch):
    runner = distill_runner(dict(teacher=dict(model=Net(7), **STATS), preset='kd'))
    runner.hooks.remove(runner.seen)
    steps = []
    monkeypatch.setattr(torch.optim.SGD, 'step', lambda *args: steps.append(args))
    with pytest.raises(ValueError, match='student has 4 classes and the teacher 7'):
        runner.train()
    assert not steps
