"""Teachers from a torch.nn.Module, and what they do in every part that takes a teacher."""

import copy

import pytest
import torch
import torchvision
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from torch import nn

from mmtmix.models import AttentiveMix, FrozenTeacher, SuperMix, TransformMix
from mmtmix.models.saliency import TeacherCAM
from mmtmix.models.teachers import build_teacher

pytestmark = pytest.mark.host
STATS = dict(mean=[120.0] * 3, std=[60.0] * 3, channel_order='rgb')
MIXER = dict(type='TransformMixer', cam_size=18)


class Net(nn.Module):
    """No config says how many classes it has."""

    def __init__(self, num_classes=5, channels=3):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(channels, 6, 3, 2, 1), nn.BatchNorm2d(6), nn.ReLU()
        )
        self.fc = nn.Linear(6, num_classes)

    def forward(self, images):
        return self.fc(self.features(images).mean(dim=(2, 3)))


class Wrapped(nn.Module):
    """Returns another form of logits."""

    def __init__(self, form):
        super().__init__()
        self.net, self.form = Net(), form

    def forward(self, images):
        return self.form(self.net(images))


class Held:
    def __init__(self, logits):
        self.logits = logits


@pytest.fixture
def net():
    torch.manual_seed(0)
    return Net()


@pytest.fixture
def images():
    return torch.randn(6, 3, 16, 16, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def scores():
    return nn.functional.one_hot(torch.arange(6) % 5, 5).float()


def test_it_is_a_frozen_copy_and_the_original_goes_on_training(net, images):
    net.train()
    teacher = FrozenTeacher(model=net, **STATS, channels_last=True)
    expected = teacher(images)
    torch.testing.assert_close(expected, copy.deepcopy(net).eval()(images))
    assert net.training and all(weight.requires_grad for weight in net.parameters())
    assert net.features[0].weight.is_contiguous()
    assert not teacher.model.training
    assert not any(weight.requires_grad for weight in teacher.model.parameters())
    net(images).sum().backward()
    with torch.no_grad():
        net.fc.weight.add_(net.fc.weight.grad)
    assert torch.equal(teacher(images), expected)
    assert all(weight.grad is None for weight in teacher.model.parameters())


def test_its_statistics_are_those_of_its_images(net, images):
    task = dict(mean=[10.0, 60.0, 200.0], std=[40.0, 50.0, 70.0], channel_order='rgb')
    raw = images * 60 + 120
    columns = [torch.tensor(task[name]).view(3, 1, 1) for name in ('mean', 'std')]
    teacher = FrozenTeacher(model=net, **STATS, input_stats=task)
    found = teacher((raw - columns[0]) / columns[1])
    torch.testing.assert_close(found, net.eval()(images), atol=1e-4, rtol=1e-4)


def test_a_checkpoint_goes_into_the_copy(net, images, tmp_path):
    other = Net()
    torch.save(other.state_dict(), tmp_path / 'other.pth')
    before = copy.deepcopy(net.state_dict())
    teacher = FrozenTeacher(model=net, checkpoint=tmp_path / 'other.pth', **STATS)
    torch.testing.assert_close(teacher(images), other.eval()(images))
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert teacher.checkpoint_name == str(tmp_path / 'other.pth')
    assert FrozenTeacher(model=net, **STATS).checkpoint_name == ''


@pytest.mark.parametrize(
    'form',
    [lambda x: x, lambda x: dict(logits=x), lambda x: Held(x)],
    ids=['tensor', 'dict', 'attr'],
)
def test_logits_may_be_held_by_what_it_returns(form, images):
    model = Wrapped(form)
    teacher = FrozenTeacher(model=model, **STATS)
    torch.testing.assert_close(teacher(images), model.net.eval()(images))
    assert teacher.saliency(images)[1].any()


@pytest.mark.parametrize('form', [lambda x: (x, x), lambda x: x[None], lambda x: dict(scores=x)])
def test_anything_else_is_refused(form, images):
    teacher = FrozenTeacher(model=Wrapped(form), **STATS)
    with pytest.raises(TypeError, match=r'Wrapped must return logits \(N, num_classes\)'):
        teacher(images)


@pytest.mark.parametrize(
    ('change', 'error', 'said'),
    [
        (dict(std=None), ValueError, r'give mean=\[...\] and std=.* 0-255 units'),
        (dict(mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225]), ValueError, 'by 255'),
        (dict(std=[60.0, 0.0, 60.0]), ValueError, 'std must be a list of finite numbers > 0'),
        (dict(std=[60.0]), ValueError, 'as many numbers'),
        (dict(mean='a', std='b'), TypeError, 'mean must be a list of finite numbers'),
        (
            dict(channel_order='grb'),
            ValueError,
            "channel_order must be one of None, 'rgb', 'bgr', got 'grb'",
        ),
        (dict(model='resnet18'), TypeError, "model must be a torch.nn.Module, got 'resnet18'"),
        (dict(config='a.py'), ValueError, 'either config and checkpoint, or model'),
        (dict(model=None), ValueError, 'teacher has no config and no checkpoint'),
        (dict(model=None, config='a', checkpoint='b'), ValueError, 'belong to model='),
        (dict(dtype='int8'), ValueError, 'dtype must be'),
    ],
)
def test_what_makes_no_teacher_is_refused_at_once(net, change, error, said):
    settings = dict(dict(model=net, **STATS), **change)
    with pytest.raises(error, match=said):
        FrozenTeacher(**settings)
    with pytest.raises(error, match=said):
        TransformMix(settings, MIXER)


def test_a_module_that_cannot_be_copied_is_refused(net):
    net.generator = (number for number in range(3))
    with pytest.raises(ValueError, match='model Net cannot be copied'):
        FrozenTeacher(model=net, **STATS)


def test_the_same_module_is_one_teacher_until_its_weights_change(net):
    settings = dict(model=net, **STATS)
    teacher = build_teacher(settings)
    assert build_teacher(dict(settings)) is teacher
    twin = copy.deepcopy(net)
    assert build_teacher(dict(model=twin, **STATS)) is not teacher
    assert build_teacher(dict(settings, std=[61.0] * 3)) is not teacher
    with torch.no_grad():
        net.fc.bias.add_(1)
    assert build_teacher(settings) is not teacher


def test_its_features_are_what_its_last_linear_layer_sees(net, images):
    teacher = FrozenTeacher(model=net, **STATS)
    logits, features = teacher.features(images)
    assert teacher.feature_dim == features.size(1) == 6
    torch.testing.assert_close(logits, teacher(images))
    torch.testing.assert_close(teacher.model.fc(features), logits)


def test_features_that_are_not_behind_the_logits_are_refused(images):
    net = nn.Sequential(nn.Conv2d(3, 5, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    teacher = FrozenTeacher(model=net, **STATS)
    assert teacher.feature_dim == 0
    with pytest.raises(ValueError, match='its features are unknown, and no linear layer'):
        teacher.features(images)
    net = nn.Sequential(Net(), nn.LogSoftmax(dim=1))
    net.register_module('unused', nn.Linear(3, 4))
    net.forward = lambda inputs, net=net: net[1](net[0](inputs))
    teacher = FrozenTeacher(model=Wrapped(lambda x: x), **STATS)
    teacher.model.unused = nn.Linear(3, 4)
    with pytest.raises(ValueError, match="'unused', does not give its logits"):
        teacher.features(images)


def mixers(teacher):
    return {
        'TransformMix': TransformMix(teacher, MIXER),
        'SuperMix': SuperMix(teacher, max_iters=1),
        'AttentiveMix': AttentiveMix(teacher),
        'TeacherCAM': TeacherCAM(teacher),
    }


MIXERS = ('TransformMix', 'SuperMix', 'AttentiveMix', 'TeacherCAM')


@pytest.mark.parametrize('name', MIXERS)
def test_mixers_take_it_and_a_wrong_number_of_classes_is_refused(name, net, images, scores):
    result = mixers(dict(model=net, **STATS))[name](images, scores)
    tensors = result if isinstance(result, tuple) else (result,)
    assert all(value.isfinite().all() for value in tensors)
    wrong = nn.functional.one_hot(torch.arange(6), 6).float()
    with pytest.raises(ValueError, match='has 5 classes and batch_scores has 6'):
        mixers(dict(model=net, **STATS))[name](images, wrong)


def test_a_predicted_class_needs_no_labels_of_its_own(net, images):
    other = nn.functional.one_hot(torch.arange(6), 6).float()
    mixed, _ = TransformMix(dict(model=net, **STATS), MIXER, cam_class='predicted')(images, other)
    assert mixed.isfinite().all()


def test_its_class_count_is_that_of_its_logits(net, images):
    teacher = FrozenTeacher(model=net, **STATS)
    net.num_classes = 1000  # stale, as after a head was replaced
    assert teacher.num_classes is None
    assert teacher.count_classes(images) == 5 == teacher.num_classes
    for use in (teacher, teacher.features, teacher.saliency):
        fresh = FrozenTeacher(model=net, **STATS)
        getattr(fresh, getattr(use, '__name__', '__call__'))(images)
        assert fresh.num_classes == 5


def test_a_search_counts_its_classes_and_refuses_others(net, images):
    search = MODELS.build(
        dict(
            type='MixerSearch',
            teacher=dict(model=net, **STATS, input_stats=STATS),
            mixer=MIXER,
            data_preprocessor=dict(mean=STATS['mean'], std=STATS['std']),
            _scope_='mmpretrain',
        )
    )
    samples = [DataSample().set_gt_label(label % 5) for label in range(6)]
    assert search(images, samples, mode='loss')['loss'].isfinite()
    wrong = [DataSample().set_gt_score(torch.eye(6)[label]) for label in range(6)]
    with pytest.raises(ValueError, match='has 5 classes and gt_score has 6'):
        search(images, wrong, mode='loss')


def test_torchvisions_resnet_has_exact_maps_and_features():
    torch.manual_seed(0)
    model = torchvision.models.resnet18(num_classes=5).eval()
    images = torch.randn(2, 3, 64, 64)
    teacher = FrozenTeacher(model=model, **STATS)
    logits, maps = teacher.cam(images, torch.tensor([1, 3]))
    torch.testing.assert_close(logits, model(images))
    expected = logits[range(2), [1, 3]] - model.fc.bias[[1, 3]]
    torch.testing.assert_close(maps.mean(dim=(1, 2, 3)), expected, atol=1e-5, rtol=1e-4)
    assert 'layer4' in teacher.saliency_source and teacher.features(images)[1].shape == (2, 512)
