"""Activation checkpointing is off where gradients are taken by the input, and on again behind."""

import pytest
import torch
from mmpretrain.registry import MODELS
from torch import nn
from torch.utils.checkpoint import checkpoint

from mmtmix.models import FrozenTeacher, InputGradient, SuperMix
from mmtmix.models.recomputation import without_recomputation
from mmtmix.models.saliency import LiveModel, set_live_model

pytestmark = pytest.mark.host
STATS = dict(mean=[120.0] * 3, std=[60.0] * 3)
NAMES = ('with_cp', 'use_checkpoint', 'grad_checkpointing', 'gradient_checkpointing')


class Recomputing(nn.Module):
    """Reentrant checkpointing under any name of its switch."""

    def __init__(self, switch='with_cp', fails=False):
        super().__init__()
        self.stem = nn.Conv2d(3, 6, 3, 2, 1)
        self.conv = nn.Conv2d(6, 6, 3, 2, 1)
        self.fc = nn.Linear(6, 5)
        self.switch, self.fails = switch, fails
        setattr(self, switch, True)

    def forward(self, images, mode='tensor'):
        if self.fails:
            raise ZeroDivisionError
        features = self.stem(images)
        if getattr(self, self.switch):
            features = checkpoint(self.conv, features, use_reentrant=True)
        else:
            features = self.conv(features)
        return self.fc(features.mean(dim=(2, 3)))


@pytest.fixture
def live():
    yield lambda net: set_live_model(LiveModel(net))
    set_live_model(None)


@pytest.fixture
def batch():
    torch.manual_seed(0)
    return torch.randn(5, 3, 16, 16), torch.eye(5)


@pytest.mark.parametrize('name', NAMES)
def test_a_teacher_has_none_and_its_gradients_are_right(name, batch):
    images, scores = batch
    torch.manual_seed(0)
    net = Recomputing(name)
    plain = Recomputing()
    plain.load_state_dict(net.state_dict())
    plain.with_cp = False
    for saliency in ('grad_cam', 'input_gradient'):
        found, expected = (
            FrozenTeacher(model=model, **STATS, saliency=saliency).saliency(images)[1]
            for model in (net, plain)
        )
        torch.testing.assert_close(found, expected)
    assert SuperMix(dict(model=net, **STATS), max_iters=2)(images, scores)[0].isfinite().all()
    assert getattr(net, name) is True  # the original's own business


@pytest.mark.parametrize('clean_lam', [0.0, 1.0])
@pytest.mark.parametrize('name', NAMES)
def test_a_student_has_none_while_its_images_gradient_is_taken(name, clean_lam, batch, live):
    net = Recomputing(name).train()
    live(net)
    source = InputGradient(clean_lam, clean_factor=1.0)
    found = source(*batch)
    assert getattr(net, name) is True
    setattr(net, name, False)
    torch.testing.assert_close(found, source(*batch))


def test_it_is_on_again_after_an_exception(batch, live):
    net = Recomputing(fails=True)
    live(net)
    with pytest.raises(ZeroDivisionError):
        InputGradient()(*batch)
    assert net.with_cp is True


def test_nothing_else_is_switched():
    net = nn.Sequential(Recomputing(), nn.ReLU())
    net.checkpoint_path, net[1].inplace, net[1].with_cp = 'a.pth', True, False
    with without_recomputation(net):
        assert (net.checkpoint_path, net[1].inplace) == ('a.pth', True)
        assert net[0].with_cp is False
    assert net[0].with_cp is True and net[1].with_cp is False


def test_mmpretrains_own_switch_is_found(batch, live):
    model = MODELS.build(
        dict(
            type='ImageClassifier',
            backbone=dict(type='ResNet', depth=18, base_channels=8, stem_channels=8, with_cp=True),
            neck=dict(type='GlobalAveragePooling'),
            head=dict(type='LinearClsHead', num_classes=5, in_channels=64),
            _scope_='mmpretrain',
        )
    ).train()
    images, scores = torch.randn(5, 3, 32, 32), batch[1]
    live(model)
    assert InputGradient()(images, scores).any()
    teacher = FrozenTeacher(model=model, **STATS, cam_layer='backbone.layer3')
    assert teacher.saliency(images)[1].any()
    assert model.backbone.layer1[0].with_cp is True
