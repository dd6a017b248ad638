"""What the teacher sees, and how often, and what goes through the student."""

import pytest
import torch
from mmpretrain.registry import BATCH_AUGMENTS
from torch import nn

pytestmark = pytest.mark.host

SUPERMIX = dict(type='SuperMix', max_iters=2, mask_size=4)
OFFLINE = dict(dataloader=dict(dataset=dict(type='Noise', size=5, seed=2)))


@pytest.fixture
def train(distill_runner):
    """Train three steps of four images, and give the runner's recorder."""

    def run(hook, **options):
        runner = distill_runner(hook, **options)
        runner.train()
        return runner.seen

    return run


@pytest.mark.parametrize(
    ('settings', 'clean', 'mixed'),
    [
        (dict(preset='kd'), True, False),
        (dict(preset='crd_kd'), True, False),
        (dict(preset='kd_mixed', mixed=OFFLINE), True, True),
        (dict(preset='kd_mixed', mixed=dict(augment=dict(type='SampleMixup'))), True, True),
        (dict(preset='ce_mixed', mixed=OFFLINE), False, True),
        (dict(preset='ce_mixed', mixed=OFFLINE, mixed_cls='mixed'), False, False),
        (dict(preset='kd_mixed', mixed=OFFLINE, mixed_cls='mixed'), True, False),
        (dict(preset='kd_mixed', mixed=OFFLINE, kd_on='both'), True, True),
        (dict(preset='kd_mixed', mixed=OFFLINE, kd_on='mixed'), False, True),
    ],
)
def test_teacher_sees_the_students_own_tensors_once_where_they_are_needed(
    train, settings, clean, mixed
):
    seen = train(settings)
    kinds = 1 + ('mixed' in settings)
    assert [len(batch) for batch in seen.student] == [4] * 3 * kinds
    wanted = []
    for step in range(3):
        batches = seen.student[kinds * step : kinds * (step + 1)]
        # where it sees no clean images, it sees one batch, for the report of its accuracy
        kinds_seen = (clean or step == 0, mixed)
        wanted += [batch for batch, asked in zip(batches, kinds_seen, strict=False) if asked]
    assert len(seen.teacher) == len(wanted)
    assert all(torch.equal(a, b) for a, b in zip(seen.teacher, wanted, strict=True))


@pytest.mark.parametrize('kd_on', ['clean', 'both'])
def test_clean_pass_of_transformmix_serves_the_distillation(train, teacher, kd_on):
    mixer = dict(type='TransformMixer', cam_size=18)
    augment = dict(type='TransformMix', teacher=teacher, mixer=mixer)
    seen = train(dict(preset='kd_mixed', mixed=dict(augment=augment), kd_on=kd_on))
    assert len(seen.teacher) == len(seen.student) == 6
    assert all(torch.equal(a, b) for a, b in zip(seen.teacher, seen.student, strict=True))


@pytest.mark.parametrize('is_own', [True, False])
def test_the_pass_for_saliency_serves_the_distillation(train, teacher, teacher_args, is_own):
    # the same weights in another file are another teacher
    theirs = teacher if is_own else dict(teacher_args(num_classes=4), channel_order='rgb')
    augment = dict(type='AttentiveMix', teacher=theirs, num_cells=3, grid_size=3)
    seen = train(dict(preset='kd_mixed', mixed=dict(augment=augment), kd_on='both'))
    assert len(seen.teacher) == len(seen.student) == 6
    assert all(torch.equal(a, b) for a, b in zip(seen.teacher, seen.student, strict=True))


@pytest.mark.parametrize('labels', ['source_prediction', 'gt'])
def test_both_answers_of_supermix_serve_the_distillation(train, teacher, labels):
    augment = dict(SUPERMIX, teacher=teacher, labels=labels)
    seen = train(dict(preset='kd_mixed', mixed=dict(augment=augment), kd_on='both'))
    # a first look at each batch, then what the solver needs: nothing is asked twice
    clean = seen.student[::2]
    assert sum(any(torch.equal(a, b) for b in clean) for a in seen.teacher) == 3
    steps = len(seen.teacher) - 3
    assert 3 <= steps <= 3 * 3  # max_iters and a last look
    mixed = seen.student[1::2]
    assert not any(torch.equal(a, b) for a in clean for b in mixed)


def test_a_mixer_of_a_list_shares_its_answers_too(train, teacher):
    augment = [dict(SUPERMIX, teacher=teacher, max_iters=0)]
    seen = train(dict(preset='kd_mixed', mixed=dict(augment=augment), kd_on='both'))
    assert len(seen.teacher) == 6  # a look at each batch, and one at each mix


def test_an_augments_own_teacher_answers_for_no_other(train, teacher_args, teacher):
    # the same weights in another file
    other = dict(teacher_args(num_classes=4), channel_order='rgb')
    augment = dict(SUPERMIX, teacher=other)
    seen = train(dict(preset='kd_mixed', mixed=dict(augment=augment)))
    assert all(torch.equal(a, b) for a, b in zip(seen.teacher, seen.student, strict=True))


def test_teacher_renormalises_what_the_student_sees(train, teacher):
    task = dict(mean=[0.0, 0.0, 0.0], std=[1.0, 1.0, 1.0])
    seen = train(dict(preset='kd', teacher=dict(teacher, input_stats=task)))
    mean, std = torch.tensor([120.0, 123.0, 126.0]), torch.tensor([60.0, 62.0, 64.0])
    for given, taken in zip(seen.student, seen.teacher, strict=True):
        expected = (given - mean[:, None, None]) / std[:, None, None]
        torch.testing.assert_close(taken, expected)


@pytest.mark.parametrize(
    'augment',
    [
        dict(type='CutMix', alpha=1.0),
        dict(type='ResizeMix', alpha=1.0),
        [dict(type='Mixup', alpha=1.0), dict(type='SampleCutMix')],
    ],
)
def test_augments_that_write_into_their_batch_leave_the_clean_one(train, augment):
    seen = train(dict(preset='kd_mixed', mixed=dict(augment=augment)))
    plain = train(None)
    # the images of the run without a hook, in its order, none of them mixed
    assert len(plain.student) == 3
    clean = seen.student[::2]
    assert all(torch.equal(a, b) for a, b in zip(clean, plain.student, strict=True))
    assert all(torch.equal(a, b) for a, b in zip(seen.teacher[::2], clean, strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(seen.student[1::2], clean, strict=True))


@BATCH_AUGMENTS.register_module(force=True)
class Add:
    """Tells which augment of a list was at work."""

    def __init__(self, value):
        self.value = value

    def __call__(self, inputs, scores):
        return inputs.add_(self.value), scores


def test_a_list_of_augments_is_chosen_from_in_each_step(train):
    augment = [dict(type='Add', value=value) for value in (10.0, 20.0)]
    seen = train(dict(preset='ce_mixed', mixed=dict(augment=augment)), epochs=4)
    shifts = [
        (mixed - clean).mean().round().item()
        for clean, mixed in zip(seen.student[::2], seen.student[1::2], strict=True)
    ]
    assert set(shifts) == {10.0, 20.0}


def test_clean_and_mixed_images_pass_batch_norm_separately(distill_runner):
    augment = dict(type='Add', value=10.0)
    frozen = dict(optimizer=dict(type='SGD', lr=0.0))
    runner = distill_runner(
        dict(preset='ce_mixed', mixed=dict(augment=augment)), norm=True, optim_wrapper=frozen
    )
    sizes = []
    runner.model.backbone.bn.register_forward_pre_hook(
        lambda module, args: sizes.append(len(args[0]))
    )
    runner.train()
    assert sizes == [4] * 6
    reference = nn.BatchNorm2d(8)
    with torch.no_grad():
        for batch in runner.seen.student:
            reference(runner.model.backbone.conv(batch))
    bn = runner.model.backbone.bn
    assert bn.num_batches_tracked == 6
    torch.testing.assert_close(bn.running_mean, reference.running_mean)
    torch.testing.assert_close(bn.running_var, reference.running_var)
