"""What makes a teacher frozen, and what its options change."""

import copy

import pytest
import torch
from mmpretrain.models.utils import ClsDataPreprocessor
from torch import nn

from mmtmix.models import FrozenTeacher
from mmtmix.models.teachers import build_teacher
from mmtmix.models.teachers.loading import build_classifier
from mmtmix.utils import precision
from mmtmix.utils.precision import Precision

pytestmark = pytest.mark.host


@pytest.fixture
def images():
    return torch.randn(4, 3, 16, 16, generator=torch.Generator().manual_seed(0))


def test_it_is_in_eval_mode_and_trains_nothing(make_teacher):
    teacher = make_teacher()
    assert not any(module.training for module in teacher.model.modules())
    assert not any(parameter.requires_grad for parameter in teacher.model.parameters())


def test_it_is_no_part_of_the_module_that_holds_it(make_teacher):
    class Holder(nn.Module):
        def __init__(self):
            super().__init__()
            self.teacher = make_teacher()

    holder = Holder().train()
    assert list(holder.modules()) == [holder]
    assert not list(holder.parameters())
    assert not holder.state_dict()
    assert not holder.teacher.model.training


def test_a_deep_copy_shares_it(make_teacher):
    holder = nn.Linear(2, 2)
    holder.teacher = make_teacher()
    assert copy.deepcopy(holder).teacher is holder.teacher


def test_gradients_reach_the_inputs_and_no_parameter(make_teacher, images):
    teacher = make_teacher()
    images.requires_grad_()
    teacher(images).logsumexp(dim=1).sum().backward()
    assert images.grad.abs().sum(dim=(1, 2, 3)).gt(0).all()
    assert all(parameter.grad is None for parameter in teacher.model.parameters())


def test_nothing_in_it_changes_by_use(make_teacher, images):
    teacher = make_teacher()
    before = copy.deepcopy(teacher.model.state_dict())
    inputs = images.clone()
    teacher(inputs)
    teacher.saliency(inputs)
    after = teacher.model.state_dict()
    assert all(torch.equal(after[key], value) for key, value in before.items())
    assert torch.equal(inputs, images)


def test_saliency_is_the_cam_scaled_and_resized(make_teacher, images):
    teacher = make_teacher()
    classes = torch.tensor([1, 2, 3, 9])
    logits, cam = teacher.cam(images, classes)
    same_logits, saliency = teacher.saliency(images, classes)
    assert torch.equal(logits, same_logits)
    for raw, scaled in zip(cam, saliency, strict=True):
        torch.testing.assert_close(scaled, (raw - raw.min()) / (raw.max() - raw.min()))
    assert teacher.saliency(images, classes, size=9)[1].shape == (4, 1, 9, 9)


def test_without_classes_the_teachers_own_prediction_is_explained(make_teacher, images):
    teacher = make_teacher()
    predicted = teacher(images).argmax(dim=1)
    assert torch.equal(teacher.cam(images)[1], teacher.cam(images, predicted)[1])


OTHER_TASKS = [
    dict(mean=[10.0, 60.0, 200.0], std=[40.0, 50.0, 70.0], to_rgb=True),
    dict(mean=[10.0, 60.0, 200.0], std=[40.0, 50.0, 70.0], to_rgb=False),
    dict(),
]


FILES = dict(type='CustomDataset', pipeline=[dict(type='LoadImageFromFile')])
DATA = dict(train_dataloader=dict(dataset=FILES))


def given(preprocessor):
    """Statistics of images that are loaded in BGR, as people give them."""
    stats = {name: value for name, value in preprocessor.items() if name != 'to_rgb'}
    return dict(stats, channel_order='rgb' if preprocessor.get('to_rgb') else 'bgr')


@pytest.fixture
def seen_by():
    """What a network with the given data_preprocessor sees of some raw images."""
    raw = torch.randint(256, (4, 3, 16, 16), dtype=torch.uint8)
    return lambda settings: ClsDataPreprocessor(**settings)(dict(inputs=raw))['inputs']


@pytest.mark.parametrize('task', OTHER_TASKS)
@pytest.mark.parametrize('to_rgb', [True, False])
def test_inputs_of_another_task_give_the_logits_of_the_same_raw_images(
    teacher_args, seen_by, task, to_rgb
):
    args = teacher_args(to_rgb=to_rgb)
    expected = FrozenTeacher(**args)(seen_by(args['config']['data_preprocessor']))
    teacher = FrozenTeacher(
        **args,
        input_stats=given(task),
        channel_order=given(dict(to_rgb=to_rgb))['channel_order'],
    )
    torch.testing.assert_close(teacher(seen_by(task)), expected, atol=1e-3, rtol=1e-3)


def test_in_a_run_the_running_config_says_how_inputs_are_normalised(
    teacher_args, seen_by, start_run
):
    args, task = teacher_args(to_rgb=True), OTHER_TASKS[1]
    expected = FrozenTeacher(**args)(seen_by(args['config']['data_preprocessor']))
    teacher = FrozenTeacher(**args, channel_order='rgb')
    start_run(dict(model=dict(type='X', data_preprocessor=task), **DATA))
    torch.testing.assert_close(teacher(seen_by(task)), expected, atol=1e-3, rtol=1e-3)


def test_a_teacher_follows_runs_that_begin_and_end(teacher_args, seen_by, start_run):
    args = teacher_args()
    own = args['config']['data_preprocessor']
    teacher = FrozenTeacher(**args, channel_order='bgr')
    expected = teacher(seen_by(own))
    for task in OTHER_TASKS:
        run = start_run(dict(data_preprocessor=task, **DATA))
        torch.testing.assert_close(teacher(seen_by(task)), expected, atol=1e-3, rtol=1e-3)
        run.end()
        assert torch.equal(teacher(seen_by(own)), expected)


def test_input_stats_go_before_the_running_config(teacher_args, seen_by, start_run):
    args, task = teacher_args(), OTHER_TASKS[0]
    start_run(dict(data_preprocessor=dict(mean=[0, 0, 0], std=[1, 1, 1])))
    own = args['config']['data_preprocessor']
    args['channel_order'] = 'bgr'
    expected = FrozenTeacher(**args, input_stats=given(own))(seen_by(own))
    logits = FrozenTeacher(**args, input_stats=given(task))(seen_by(task))
    torch.testing.assert_close(logits, expected, atol=1e-3, rtol=1e-3)


def test_bfloat16_is_close_to_float32(teacher_args, images):
    args = teacher_args()
    exact, fast = FrozenTeacher(**args), FrozenTeacher(**args, dtype='bfloat16')
    logits = fast(images)
    assert logits.dtype == torch.bfloat16
    torch.testing.assert_close(logits.float(), exact(images), atol=0.1, rtol=0.05)
    classes = torch.tensor([0, 1, 2, 3])
    _, saliency = fast.saliency(images, classes)
    assert saliency.dtype == torch.float32
    expected = exact.saliency(images, classes)[1]
    torch.testing.assert_close(saliency, expected, atol=0.1, rtol=0)
    assert torch.corrcoef(torch.stack([saliency.flatten(), expected.flatten()]))[0, 1] > 0.99


def test_float32_holds_under_the_callers_autocast_and_none_follows_it(teacher_args, images):
    args = teacher_args()
    exact = FrozenTeacher(**args)(images)
    assert exact.dtype == torch.float32
    with torch.autocast('cpu', torch.bfloat16):
        assert torch.equal(FrozenTeacher(**args, dtype='float32')(images), exact)
        assert FrozenTeacher(**args, dtype=None)(images).dtype == torch.bfloat16


@pytest.mark.parametrize('fast', [torch.float32, torch.bfloat16])
def test_auto_follows_the_callers_autocast_where_it_is_fast(
    teacher_args, images, fast, monkeypatch
):
    chosen = Precision(fast, 'of this test')
    monkeypatch.setattr(precision, 'fast_precision', lambda device_type: chosen)
    teacher = FrozenTeacher(**teacher_args())
    assert teacher(images).dtype == torch.float32
    with torch.autocast('cpu', torch.bfloat16):
        assert teacher(images).dtype == fast
        assert teacher.cam(images)[0].dtype == fast


def test_the_callers_autocast_does_not_round_the_maps(teacher_args, images):
    teacher = FrozenTeacher(**teacher_args(), dtype='float32')
    _, expected = teacher.cam(images)
    with torch.autocast('cpu', torch.bfloat16):
        _, cam = teacher.cam(images)
    assert cam.dtype == torch.float32
    assert torch.equal(cam, expected)


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16, torch.float64])
def test_it_takes_inputs_of_any_floating_type(make_teacher, images, dtype):
    teacher = make_teacher()
    torch.testing.assert_close(teacher(images.to(dtype)), teacher(images), atol=0.1, rtol=0.05)


def test_channels_last_gives_the_same(teacher_args, images):
    args = teacher_args()
    plain, other = FrozenTeacher(**args), FrozenTeacher(**args, channels_last=True)
    weight = other.model.backbone.conv1.weight
    assert weight.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(other(images), plain(images))
    torch.testing.assert_close(other.cam(images), plain.cam(images))


@pytest.mark.parametrize('saliency', ['cam', 'grad_cam', 'input_gradient'])
def test_compiled_it_gives_the_same(teacher_args, images, saliency):
    args = dict(teacher_args(), saliency=saliency)
    plain, compiled = FrozenTeacher(**args), FrozenTeacher(**args, compile=dict(backend='eager'))
    torch.testing.assert_close(compiled(images), plain(images))
    torch.testing.assert_close(compiled.cam(images), plain.cam(images))


def test_images_of_another_number_of_channels_are_refused(make_teacher, images):
    with pytest.raises(
        ValueError, match=r'takes images of 1 channel\(s\), got .*\(4, 3, 16, 16\)'
    ):
        make_teacher(in_channels=1)(images)


@pytest.mark.parametrize(
    ('option', 'said'),
    [
        (dict(saliency='gradcam'), "saliency must be one of .*'gradcam'"),
        (dict(dtype='int8'), "dtype must be one of .*'int8'"),
        (dict(channel_order='gbr'), "channel_order must be one of None, 'rgb', 'bgr', got 'gbr'"),
    ],
)
def test_an_unknown_option_is_refused(teacher_args, option, said):
    with pytest.raises(ValueError, match=said):
        FrozenTeacher(**teacher_args(), **option)


@pytest.mark.parametrize(
    ('teacher', 'error', 'said'),
    [
        (None, TypeError, 'teacher must be dict'),
        (dict(config='a.py'), ValueError, 'teacher has no checkpoint'),
        (dict(config='a.py', checkpoint=None), ValueError, 'teacher has no checkpoint'),
        ({}, ValueError, 'no config and no checkpoint'),
    ],
)
def test_half_a_teacher_is_refused(teacher, error, said):
    with pytest.raises(error, match=said):
        build_teacher(teacher)


class FlatBackbone(nn.Module):
    """No convolution tells how many channels it takes."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3 * 16 * 16, 8)

    def forward(self, images):
        return (self.linear(images.flatten(1)),)


def test_a_teacher_without_convolutions_gives_logits(tmp_path, images):
    head = dict(type='LinearClsHead', num_classes=5, in_channels=8)
    model = dict(type='ImageClassifier', backbone=dict(type=FlatBackbone), head=head)
    config = dict(model=model, data_preprocessor=dict(mean=[0.0], std=[1.0]))
    network, _ = build_classifier(config)
    torch.save(network.state_dict(), tmp_path / 'flat.pth')
    teacher = FrozenTeacher(config, tmp_path / 'flat.pth')
    torch.testing.assert_close(teacher(images), network(images, mode='tensor'))
    with pytest.raises(ValueError, match='set cam_layer='):
        teacher.saliency(images)


def test_building_a_teacher_draws_nothing():
    """First weights of a student are the same beside it and alone."""
    state = torch.get_rng_state()
    build_classifier('configs/simple/wrn16_fashionmnist_mini.py')
    assert torch.equal(torch.get_rng_state(), state)


def test_maps_of_all_classes_are_made_for_evidence_alone(make_teacher, monkeypatch):
    teacher, made = make_teacher(), []
    exact_maps = teacher._cam.exact_maps
    monkeypatch.setattr(
        teacher._cam, 'exact_maps', lambda *args: made.append(1) or exact_maps(*args)
    )
    images = torch.randn(3, 3, 32, 32)
    teacher.saliency(images)
    assert not made
    teacher.evidence(images, None, 4)
    assert made == [1]
