"""Heads of MMPretrain as student and teacher: features are right, or the run does not begin."""

import pytest
import torch
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from torch import nn

from mmtmix.engine.distillation import Student
from mmtmix.models import FrozenTeacher
from mmtmix.models.teachers.network import feature_dim

pytestmark = pytest.mark.host

NORM = dict(type='BN1d')
KD = dict(type='KDLoss')


class TokenNet(nn.Module):
    """Features as backbones give them: ``'plain'``, one token (``'vit'``) or two (``'deit'``)."""

    def __init__(self, form='plain'):
        super().__init__()
        self.conv, self.form = nn.Conv2d(3, 8, 3, stride=2), form

    def forward(self, images):
        seen = self.conv(images).relu().mean(dim=(2, 3))
        return dict(plain=(seen,), vit=([seen],), deit=([seen, seen.square()],))[self.form]


def classifier(kind, form='plain', **head):
    if kind != 'MultiTaskHead':
        head = dict(dict(num_classes=4, in_channels=8), **head)
    return dict(
        type='ImageClassifier',
        backbone=dict(type=TokenNet, form=form),
        head=dict(head, type=kind),
        data_preprocessor=dict(mean=[120.0, 123.0, 126.0], std=[60.0, 62.0, 64.0]),
    )


def build(config):
    torch.manual_seed(0)
    model = MODELS.build(dict(config, _scope_='mmpretrain'))
    for weight in model.head.parameters():
        nn.init.normal_(weight)
    return model


def last_layers(head):
    """The weights (num_classes, D) and bias that features of a head are classified by."""
    if type(head).__name__ == 'DeiTClsHead':
        both = (head.layers.head, head.layers.head_dist)
        return torch.cat([one.weight for one in both], 1) / 2, sum(one.bias for one in both) / 2
    layer = next(
        getattr(head, name) for name in ('fc', 'fc2', 'head', 'layers') if hasattr(head, name)
    )
    layer = getattr(layer, 'head', layer)  # a vision transformer's
    layer = getattr(layer, 'linear', getattr(layer, 'fc', layer))  # after LeViT's norm, in a stack
    return layer.weight, layer.bias


HEADS = dict(
    linear=(classifier('LinearClsHead'), 8),
    vit=(classifier('VisionTransformerClsHead', 'vit'), 8),
    vit_hidden=(classifier('VisionTransformerClsHead', 'vit', hidden_dim=6), 6),
    deit=(classifier('DeiTClsHead', 'deit'), 16),
    deit_hidden=(classifier('DeiTClsHead', 'deit', hidden_dim=6), 12),
    stacked=(
        classifier('StackedLinearClsHead', mid_channels=[6], dropout_rate=0.5, norm_cfg=NORM),
        6,
    ),
    efficient=(classifier('EfficientFormerClsHead', distillation=False), 8),
    levit=(classifier('LeViTClsHead', distillation=False, deploy=False), 8),
    vig=(classifier('VigClsHead', hidden_dim=6, dropout=0.5), 6),
)


@pytest.fixture
def images():
    return torch.randn(5, 3, 16, 16, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def samples():
    return [DataSample().set_gt_label(number % 4) for number in range(5)]


@pytest.mark.filterwarnings('ignore:MMPretrain cannot train')
@pytest.mark.parametrize('name', HEADS)
def test_a_students_features_give_its_logits_and_cost_no_second_pass(images, samples, name):
    config, dim = HEADS[name]
    alone, watched = build(config).train(), build(config).train()
    student = Student(watched, needs_features=True)
    handles = student.attach()
    losses = []
    for model in (alone, watched):
        torch.manual_seed(1)  # of dropout
        losses.append(model(images, samples, mode='loss')['loss'])
    seen = student.take()
    assert torch.equal(*losses)
    # batch norm's statistics move once
    assert all(map(torch.equal, alone.state_dict().values(), watched.state_dict().values()))
    assert seen.features.shape == (5, dim) and student.feature_dim == feature_dim(watched) == dim
    torch.testing.assert_close(
        nn.functional.linear(seen.features, *last_layers(watched.head)), seen.logits
    )
    seen.features.sum().backward()
    assert watched.backbone.conv.weight.grad.abs().sum() > 0
    for handle in handles:
        handle.remove()
    watched(images, samples, mode='loss')
    assert not student._features


@pytest.mark.parametrize('name', [name for name in HEADS if name != 'levit'])  # a norm between
def test_a_teachers_features_give_its_logits(images, tmp_path, name):
    config, dim = HEADS[name]
    model = build(config)
    torch.save(dict(state_dict=model.state_dict()), tmp_path / 'teacher.pth')
    teacher = FrozenTeacher(dict(model=config), tmp_path / 'teacher.pth', channel_order='rgb')
    logits, features = teacher.features(images)
    assert features.shape == (5, dim) and feature_dim(teacher.model) == dim
    assert torch.equal(logits, teacher(images))
    torch.testing.assert_close(
        nn.functional.linear(features, *last_layers(teacher.model.head)), logits
    )


def test_margins_of_arcface_are_no_part_of_what_it_predicts(images, samples):
    model = build(classifier('ArcFaceClsHead')).train()
    student = Student(model, needs_features=True)
    student.attach()
    model(images, samples, mode='loss')
    seen = student.take()
    assert torch.equal(seen.logits, student.classify(images).logits)
    assert seen.features.shape == (5, student.feature_dim) == (5, 8)


TASKS = dict(task=dict(type='LinearClsHead', num_classes=4, in_channels=8))
NO_PREDICTION = [
    (classifier('MultiTaskHead', task_heads=TASKS), 'MultiTaskHead has one prediction per task'),
    (classifier('MultiLabelLinearClsHead'), 'MultiLabelLinearClsHead has several labels'),
    (classifier('ConformerHead', in_channels=[8, 8]), 'ConformerHead gives two predictions'),
]


@pytest.mark.parametrize(('config', 'said'), NO_PREDICTION)
def test_heads_that_give_no_single_prediction_are_refused(distill_runner, tmp_path, config, said):
    torch.save(dict(state_dict=build(config).state_dict()), tmp_path / 'other.pth')
    other = dict(
        config=dict(model=config), checkpoint=str(tmp_path / 'other.pth'), channel_order='rgb'
    )
    steps = []
    for owner, hook, options in (
        ('student', dict(preset='kd'), dict(model=dict(config))),
        ('teacher', dict(preset='kd', teacher=other), {}),
    ):
        runner = distill_runner(hook, **options)
        runner.model.register_forward_pre_hook(lambda *args: steps.append(args))
        with pytest.raises(ValueError, match=f"the {owner}'s {said}"):
            runner.train()
    assert not steps


@pytest.mark.parametrize('kind', ['EfficientFormerClsHead', 'LeViTClsHead'])
def test_students_that_mmpretrain_cannot_train_are_refused(kind):
    deploy = dict(deploy=False) if kind == 'LeViTClsHead' else {}
    model = build(classifier(kind, distillation=True, **deploy))
    with pytest.raises(ValueError, match=f'not train a {kind} .* the student distillation=False'):
        Student(model)


def test_features_that_are_no_vectors_are_refused(images):
    model = build(classifier('LinearClsHead'))
    model.head.forward = lambda feats: model.head.fc(feats[-1][:, None].expand(-1, 3, -1)).mean(1)
    student = Student(model, needs_features=True)
    student.attach()
    with pytest.raises(TypeError, match=r'takes \(5, 3, 8\) and no features .*such as KDLoss'):
        student.classify(images)


@pytest.mark.filterwarnings('ignore:MMPretrain cannot train')
def test_crd_from_a_deit_to_a_deit(distill_runner, scalars, crd, tmp_path):
    config = HEADS['deit_hidden'][0]
    torch.save(dict(state_dict=build(config).state_dict()), tmp_path / 'deit.pth')
    teacher = dict(
        config=dict(model=config), checkpoint=str(tmp_path / 'deit.pth'), channel_order='rgb'
    )
    runner = distill_runner(dict(losses=[KD, crd], teacher=teacher), model=dict(config))
    runner.train()
    logged = scalars(runner)
    assert runner.iter == 3
    assert all(torch.tensor(logged[name]).isfinite().all() for name in ('loss_kd', 'loss_crd'))
