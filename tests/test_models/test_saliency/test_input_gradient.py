"""The input gradient of a live model; its use in runs is with LiveModelHook's tests."""

import pytest
import torch
from mmpretrain.models.losses import CrossEntropyLoss
from torch import nn

from mmtmix.models import InputGradient, SoftmaxBCELoss
from mmtmix.models.saliency import LiveModel, live_model, set_live_model

pytestmark = pytest.mark.host


class Net(nn.Module):
    """Dropout and batch norm behave differently in training; can fail when it is asked."""

    def __init__(self, channels=3, fails=False):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(channels, 4, 3), nn.BatchNorm2d(4), nn.Dropout(0.5), nn.ReLU()
        )
        self.fc = nn.Linear(4, 10)
        self.fails = fails

    def forward(self, inputs, data_samples=None, mode='tensor'):
        assert mode == 'tensor'
        if self.fails:
            raise ZeroDivisionError
        return self.fc(self.layers(inputs).mean(dim=(2, 3)))


@pytest.fixture
def live():
    """Hand a net over for the time of a test: ``live(net)``."""
    yield lambda net: set_live_model(LiveModel(net))
    set_live_model(None)


@pytest.mark.parametrize('shape', [(1, 7, 9), (3, 12, 8)])
@pytest.mark.parametrize('num_samples', [1, 4])
def test_each_images_saliency_is_its_own(make_inputs, live, shape, num_samples):
    inputs, scores = make_inputs(num_samples, shape)
    net = Net(shape[0]).train()
    live(net)
    saliency = InputGradient()(inputs, scores)
    assert saliency.shape == (num_samples, 1, *shape[1:])
    net.eval()
    for n in range(num_samples):
        image = inputs[n : n + 1].clone().requires_grad_()
        loss = -(scores[n] * net(image).log_softmax(dim=1)).sum()
        loss.backward()
        expected = (image.grad**2).mean(dim=1).sqrt()
        torch.testing.assert_close(saliency[n], expected)


@pytest.fixture
def make_inputs():
    """Make images and soft scores: ``make_inputs(num_samples, shape)``."""

    def make(num_samples=4, shape=(3, 12, 8)):
        torch.manual_seed(0)
        return torch.randn(num_samples, *shape), torch.rand(num_samples, 10).softmax(dim=1)

    return make


def test_modes_come_back_also_after_an_error(make_inputs, live):
    net = Net(fails=True).train()
    net.layers[1].eval()
    modes = [module.training for module in net.modules()]
    live(net)
    with pytest.raises(ZeroDivisionError):
        InputGradient()(*make_inputs())
    assert [module.training for module in net.modules()] == modes


def test_it_is_asked_without_gradients_too(make_inputs, live):
    net = Net()
    live(net)
    inputs, scores = make_inputs()
    expected = InputGradient()(inputs, scores)
    with torch.no_grad():
        assert torch.equal(InputGradient()(inputs, scores), expected)
    assert all(weight.grad is None for weight in net.parameters())
    assert not inputs.requires_grad
    assert not live_model().losses


@pytest.mark.parametrize('clean_lam', [0.5, 2.0])
@pytest.mark.parametrize(
    ('loss', 'given', 'factor'),
    [
        (CrossEntropyLoss(), None, 1.0),
        (SoftmaxBCELoss(), None, 2 / 10),
        (SoftmaxBCELoss(), 0.3, 0.3),
        (None, 3.0, 3.0),
    ],
)
def test_the_clean_loss_waits_for_its_step(make_inputs, live, clean_lam, loss, given, factor):
    inputs, scores = make_inputs()
    net = Net()
    net.loss_module = loss
    net.layers[2].p = 0.0
    live(net.train())
    with torch.no_grad():
        InputGradient(clean_lam, given)(inputs, scores)
    (loss,) = live_model().losses.values()
    expected = -factor * clean_lam * (scores * net(inputs).log_softmax(dim=1)).sum(dim=1).mean()
    torch.testing.assert_close(loss, expected)
    loss.backward()
    assert all(weight.grad is not None for weight in net.parameters())


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_half_precision_images_give_saliency_in_float32(make_inputs, live, dtype):
    inputs, scores = make_inputs()
    net = Net()
    live(net)
    expected = InputGradient()(inputs, scores)
    net.to(dtype)
    saliency = InputGradient()(inputs.to(dtype), scores)
    assert saliency.dtype == torch.float32
    assert (saliency - expected).norm() < 0.05 * expected.norm()


def test_a_clean_loss_beside_an_unknown_one_is_refused_before_the_forward_pass(make_inputs, live):
    live(Net(fails=True).train())
    with pytest.raises(ValueError, match='Net has no loss_module, .* set clean_factor'):
        InputGradient(1.0)(*make_inputs())


@pytest.mark.parametrize('wrong', [0, -1.0, float('nan'), '1'])
def test_a_factor_that_is_not_positive_is_refused(wrong):
    said = f'clean_factor must be a finite number > 0, got {wrong!r}; None takes'
    with pytest.raises((TypeError, ValueError), match=said):
        InputGradient(1.0, wrong)


@pytest.mark.parametrize('wrong', [-0.1, float('nan')])
def test_a_negative_factor_is_refused(wrong):
    with pytest.raises(ValueError, match=f'clean_lam must be a finite number >= 0, got {wrong}'):
        InputGradient(clean_lam=wrong)
