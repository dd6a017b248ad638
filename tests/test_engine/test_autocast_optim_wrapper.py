"""AutocastOptimWrapper: a forward in bfloat16 or float32, everything else in float32."""

import pytest
import torch
from mmpretrain.registry import OPTIM_WRAPPERS
from torch import nn

from mmtmix.engine import AutocastOptimWrapper
from mmtmix.utils import precision
from mmtmix.utils.precision import Precision


@pytest.fixture
def model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3))


def wrap(model, lr=0.1, dtype='bfloat16', **kwargs):
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    return AutocastOptimWrapper(dtype, optimizer=optimizer, **kwargs)


def test_forward_is_bfloat16_and_the_rest_float32(model):
    wrapper = wrap(model)
    with wrapper.optim_context(model):
        output = model(torch.randn(4, 6))
    assert output.dtype == torch.bfloat16
    assert model(torch.randn(4, 6)).dtype == torch.float32
    wrapper.backward(output.float().square().mean())
    for weight in model.parameters():
        assert weight.dtype == weight.grad.dtype == torch.float32


@pytest.mark.parametrize('dtype', ['float32', 'auto'])
def test_forward_is_in_the_dtype_that_is_given_or_fast(model, dtype, monkeypatch):
    fast = Precision(torch.float32, 'the test emulates')
    monkeypatch.setattr(precision, 'fast_precision', lambda device_type: fast)
    with wrap(model, dtype=dtype).optim_context(model):
        assert model(torch.randn(4, 6)).dtype == torch.float32
    fast = Precision(torch.bfloat16, 'the test is fast')
    with wrap(model, dtype=dtype).optim_context(model):
        expected = torch.bfloat16 if dtype == 'auto' else torch.float32
        assert model(torch.randn(4, 6)).dtype == expected


def test_a_dtype_that_needs_loss_scaling_is_refused(model):
    with pytest.raises(ValueError, match="got 'float16'; .* a GPU, with AmpOptimWrapper"):
        wrap(model, dtype='float16')


def test_update_is_near_that_of_a_float32_step(model):
    inputs, start = torch.randn(16, 6), [weight.detach().clone() for weight in model.parameters()]
    expected = torch.autograd.grad(model(inputs).square().mean(), list(model.parameters()))
    wrapper = wrap(model, lr=1.0)
    with wrapper.optim_context(model):
        loss = model(inputs).float().square().mean()
    wrapper.update_params(loss)
    for weight, before, grad in zip(model.parameters(), start, expected, strict=True):
        step = before - weight.detach()
        assert (step - grad).norm() < 0.1 * grad.norm()


def test_gradients_of_several_batches_are_averaged_into_one_step(model):
    weight = model[0].weight
    start = weight.detach().clone()
    wrapper = wrap(model, lr=1.0, accumulative_counts=2)
    gradients = []
    for batch in torch.randn(2, 4, 6):
        assert torch.equal(weight, start)
        with wrapper.optim_context(model):
            loss = model(batch).float().square().mean()
        gradients += torch.autograd.grad(loss, weight, retain_graph=True)
        wrapper.update_params(loss)
    assert torch.allclose(start - weight, sum(gradients) / 2, atol=1e-6)


def test_clipping_is_mmengines_own(model):
    wrapper = wrap(model, clip_grad=dict(max_norm=1e-3))
    before = model[2].weight.detach().clone()
    with wrapper.optim_context(model):
        loss = model(torch.randn(4, 6)).float().square().mean()
    wrapper.update_params(loss)
    assert 0 < (model[2].weight - before).norm() <= 0.1 * 1e-3 + 1e-7


def test_config_builds_it(model):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    wrapper = OPTIM_WRAPPERS.build(dict(type='AutocastOptimWrapper', optimizer=optimizer))
    assert isinstance(wrapper, AutocastOptimWrapper)
