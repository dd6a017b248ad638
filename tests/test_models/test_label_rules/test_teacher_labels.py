"""Labels by a teacher's view of each mix, against its own probabilities."""

import pytest
import torch
from mmpretrain.registry import BATCH_AUGMENTS
from torch import nn

from mmtmix.models import FrozenTeacher, ObjectPaste, TeacherLabels, TransformMixer

pytestmark = pytest.mark.host
KINDS = ['soft', 'hard', 'sources']


class Counting(nn.Sequential):
    calls = 0

    def forward(self, inputs):
        type(self).calls += 1
        return super().forward(inputs)


def make_teacher(classes=10):
    torch.manual_seed(0)
    net = Counting(
        nn.Conv2d(3, 6, 3), nn.Tanh(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, classes)
    )
    for parameter in net.parameters():
        nn.init.normal_(parameter)
    return FrozenTeacher(model=net, mean=120.0, std=60.0, cam_layer='0')


TEACHER = make_teacher()


def expected(kind, logits, scores, details, temperature=1.0):
    rows = []
    for n, row in enumerate(logits.double()):
        powers = [float(torch.exp((value - row.max()) / temperature)) for value in row]
        probabilities = [value / sum(powers) for value in powers]
        if kind == 'hard':
            best = max(range(10), key=probabilities.__getitem__)
            probabilities = [float(c == best) for c in range(10)]
        if kind == 'sources':
            shown = {
                int(scores[one].argmax())
                for one, share in zip(details['index'][n], details['weights'][n], strict=True)
                if share > 0
            }
            total = sum(probabilities[c] for c in shown)
            probabilities = [p / total if c in shown else 0.0 for c, p in enumerate(probabilities)]
        rows.append(probabilities)
    return torch.tensor(rows)


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('name', ['SampleCutMix', 'SampleMixup', 'SampleResizeMix'])
def test_labels_are_the_teacher_s_probabilities_for_the_mix(make_batch, kind, name):
    images, scores = make_batch(8)
    rule = TeacherLabels(TEACHER, kind, temperature=2.0)
    augment = BATCH_AUGMENTS.build(dict(type=name, num_mix=3, labels=rule))
    before = Counting.calls
    torch.manual_seed(0)
    mixed, targets, details = augment(images, scores, return_details=True)
    assert Counting.calls == before + 1
    label = expected(kind, TEACHER(mixed), scores, details, 2.0)
    torch.testing.assert_close(targets, label, atol=1e-5, rtol=1e-4)
    assert torch.equal(augment.mix_targets(scores, details), targets)
    torch.manual_seed(0)
    assert torch.equal(augment(images, scores)[1], targets)
    plain = BATCH_AUGMENTS.build(dict(type=name, num_mix=3))
    torch.manual_seed(0)
    assert torch.equal(plain(images, scores)[0], mixed)


def test_one_class_twice_counts_once():
    images, scores = torch.randn(4, 3, 16, 16), torch.eye(10)[[3, 3, 3, 5]]
    augment = BATCH_AUGMENTS.build(
        dict(type='SampleCutMix', num_mix=3, labels=TeacherLabels(TEACHER, 'sources'))
    )
    mixed, targets, details = augment(images, scores, return_details=True)
    label = expected('sources', TEACHER(mixed), scores, details)
    torch.testing.assert_close(targets, label, atol=1e-5, rtol=1e-4)


def module():
    torch.manual_seed(0)
    return TransformMixer(num_mix=2, cam_size=18, channels=4, noise_size=4)


@pytest.mark.parametrize('kind', ['hard_teacher', 'soft_teacher'])
def test_an_augment_s_own_teacher_serves(make_batch, kind):
    images, scores = make_batch(8, (3, 20, 20))
    TEACHER.saliency(images)  # the first images determine its layer, by a pass of their own
    own = [
        dict(type='TransformMix', teacher=TEACHER, mixer=module()),
        dict(type='AttentiveMix', teacher=TEACHER, grid_size=4),
        dict(type='SuperMix', teacher=TEACHER, max_iters=2, labels='gt'),
    ]
    for settings in own:
        plain, augment = (
            BATCH_AUGMENTS.build(dict(settings, **more)) for more in ({}, dict(labels=kind))
        )
        calls = []
        for one in (plain, augment):
            before = Counting.calls
            torch.manual_seed(0)
            mixed, targets, details = one(images, scores, return_details=True)
            calls.append(Counting.calls - before)
        # SuperMix has the logits of its mixes already
        assert calls[1] == calls[0] + (settings['type'] != 'SuperMix')
        label = expected(kind.partition('_')[0], TEACHER(mixed), scores, details)
        torch.testing.assert_close(targets, label, atol=1e-5, rtol=1e-4)


def test_a_small_batch_keeps_its_labels(make_batch):
    images, scores = make_batch(1)
    augment = BATCH_AUGMENTS.build(dict(type='FMix', labels=TeacherLabels(TEACHER)))
    _, targets, details = augment(images, scores, return_details=True)
    assert torch.equal(targets, scores) and torch.equal(details['targets'], scores)


def test_an_augment_without_a_teacher_needs_one():
    with pytest.raises(ValueError, match='FMix mixes without.*TeacherLabels'):
        BATCH_AUGMENTS.build(dict(type='FMix', labels='soft_teacher'))


def test_a_teacher_of_other_classes_is_refused(make_batch):
    augment = BATCH_AUGMENTS.build(dict(type='FMix', labels=TeacherLabels(make_teacher(7))))
    with pytest.raises(ValueError, match='the teacher has 7 classes and batch_scores has 10'):
        augment(*make_batch(8))


def test_files_are_read_by_load(tmp_path):
    missing = dict(config='nowhere.py', checkpoint=str(tmp_path / 'nowhere.pth'))
    rule = dict(type='TeacherLabels', teacher=missing)
    augment = BATCH_AUGMENTS.build(dict(type='FMix', labels=rule))
    with pytest.raises(FileNotFoundError, match='nowhere'):
        augment.load()
    seeing = dict(type='VisibleLabels', saliency=dict(type='TeacherCAM', teacher=missing))
    with pytest.raises(FileNotFoundError, match='nowhere'):
        BATCH_AUGMENTS.build(dict(type='FMix', labels=seeing)).load()
    placebo = dict(type='OtherImages', source=dict(type='TeacherCAM', teacher=missing))
    with pytest.raises(FileNotFoundError, match='nowhere'):
        BATCH_AUGMENTS.build(dict(type='SaliencyMix', saliency=placebo)).load()
    assert len(augment.teacher_holders) == 1


@pytest.mark.parametrize('labels', ['soft_teacher', 'hard_teacher'])
def test_a_teacher_inside_of_a_changed_saliency_labels_as_well(labels, make_batch):
    images, scores = make_batch(4)
    augment = ObjectPaste(make_teacher(), labels=labels)
    mixed, targets = augment(images, scores)
    logits = augment.saliency.source.teacher(mixed)
    expected = logits.softmax(dim=1)
    if labels == 'hard_teacher':
        expected = torch.eye(10)[expected.argmax(dim=1)]
    torch.testing.assert_close(targets, expected)
