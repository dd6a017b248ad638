"""Modules that are a model's in everything but its state dict."""

from copy import deepcopy

import torch
from mmengine.runner.checkpoint import get_state_dict, load_state_dict
from torch import nn

from mmtmix.models.classifiers.training_only import TrainingOnly


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(2, 2)
        self.extra = TrainingOnly(net=nn.BatchNorm1d(3), other=nn.Linear(1, 1))


KEYS = ['body.weight', 'body.bias']


def test_its_weights_are_trained_but_not_saved():
    model = Model()
    names = [name for name, _ in model.named_parameters()]
    assert {'extra.net.weight', 'extra.other.bias'} < set(names)
    assert list(model.state_dict()) == KEYS
    assert list(get_state_dict(model)) == KEYS
    assert list(nn.ModuleDict(dict(inner=model)).state_dict()) == [f'inner.{key}' for key in KEYS]


def test_a_plain_state_dict_is_loaded_strictly_and_changes_nothing_else():
    model, other = Model(), Model()
    before = {name: value.clone() for name, value in model.extra.training_state().items()}
    state = other.state_dict()
    model.load_state_dict(state, strict=True)
    load_state_dict(model, state, strict=True)
    assert list(state) == KEYS
    assert torch.equal(model.body.weight, other.body.weight)
    for name, value in model.extra.training_state().items():
        assert torch.equal(value, before[name])


def test_the_training_state_holds_all_and_goes_back():
    model, other = Model(), Model()
    model.extra.net(torch.randn(4, 3))  # moves buffers
    state = model.extra.training_state()
    assert {'net.running_mean', 'net.num_batches_tracked', 'other.weight'} < set(state)
    other.extra.load_training_state(state)
    for name, value in other.extra.training_state().items():
        assert torch.equal(value, state[name])


def test_a_copy_is_a_model_of_its_own():
    model = Model()
    copy = deepcopy(model)
    nn.init.zeros_(copy.extra.other.weight)
    copy.load_state_dict(model.state_dict(), strict=True)
    assert not copy.extra.other.weight.any()
    assert list(copy.state_dict()) == KEYS
