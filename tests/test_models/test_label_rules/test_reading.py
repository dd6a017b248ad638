"""Labels by a teacher's saliency of a mix, and by similar features, beside sums in loops."""

import math

import pytest
import torch
import torch.nn.functional as F
from mmpretrain.registry import BATCH_AUGMENTS
from torch import nn

from mmtmix.functional import similar_shares
from mmtmix.models import AttendedLabels, FrozenTeacher, ObjectPaste, SimilarLabels

pytestmark = pytest.mark.host
MIXERS = ['SampleCutMix', 'SampleMixup', 'FMix', 'SampleResizeMix']


def make_teacher(classes=10):
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(3, 6, 3), nn.Tanh(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, classes)
    )
    for parameter in net.parameters():
        nn.init.normal_(parameter)
    return FrozenTeacher(model=net, mean=120.0, std=60.0, cam_layer='0')


TEACHER = make_teacher()
# the classes of the task are not looked at
ELSEWHERE = make_teacher(7)


def mix(rule, batch, name):
    num_mix = 2 if name == 'FMix' else 3
    labelled, plain = (
        BATCH_AUGMENTS.build(dict(type=name, num_mix=num_mix, **more))
        for more in (dict(labels=rule), {})
    )
    found = []
    for augment in (labelled, plain):
        torch.manual_seed(0)
        found.append(augment(*batch, return_details=True))
    (mixed, targets, details), (plainly, _, given) = found
    assert torch.equal(mixed, plainly)
    assert torch.equal(labelled.mix_targets(batch[1], details), targets)
    return mixed, targets, details['index'], given


def mix_labels(scores, index, shares):
    rows = []
    for places, row in zip(index.tolist(), shares, strict=True):
        rows.append(sum(share * scores[place] for place, share in zip(places, row, strict=True)))
    return torch.stack(rows)


@pytest.mark.parametrize('name', MIXERS)
@pytest.mark.parametrize('teacher', [TEACHER, ELSEWHERE])
def test_shares_follow_the_similarity_of_features(make_batch, teacher, name):
    batch = make_batch(8)
    mixed, targets, index, given = mix(SimilarLabels(teacher, temperature=0.3), batch, name)
    of_mix, of_image = (teacher.features(images)[1].double() for images in (mixed, batch[0]))
    shares = []
    for n, places in enumerate(index.tolist()):
        powers = []
        for place, weight in zip(places, given['weights'][n].tolist(), strict=True):
            a, b = of_mix[n], of_image[place]
            cosine = float(a @ b) / math.sqrt(float(a @ a) * float(b @ b))
            powers.append(weight * math.exp(cosine / 0.3))
        shares.append([power / sum(powers) for power in powers])
    torch.testing.assert_close(targets, mix_labels(batch[1], index, shares), atol=1e-5, rtol=1e-4)
    assert not torch.allclose(targets, mix_labels(batch[1], index, given['weights'].tolist()))


@pytest.mark.parametrize('name', MIXERS)
@pytest.mark.parametrize('teacher', [TEACHER, ELSEWHERE])
def test_shares_follow_the_saliency_of_the_mix(make_batch, teacher, name):
    batch = make_batch(8)
    rule = AttendedLabels(teacher, share=0.25)
    mixed, targets, index, given = mix(rule, batch, name)
    augment = BATCH_AUGMENTS.build(dict(type=name, num_mix=index.size(1), labels=rule))
    torch.manual_seed(0)
    masks = augment(*batch, return_details=True)[2]['masks'].double()
    maps = F.interpolate(teacher.saliency(mixed)[1].double(), masks.shape[-2:], mode='bilinear')
    shares = []
    for n, row in enumerate(given['weights'].tolist()):
        seen = [float((maps[n] * mask).sum()) for mask in masks[n]]
        shares.append([0.75 * w + 0.25 * s / sum(seen) for w, s in zip(row, seen, strict=True)])
    torch.testing.assert_close(targets, mix_labels(batch[1], index, shares), atol=1e-5, rtol=1e-4)
    # masks of Mixup are its weights
    plain = mix_labels(batch[1], index, given['weights'].tolist())
    assert torch.allclose(targets, plain, atol=1e-5) == (name == 'SampleMixup')


def test_a_mix_that_equals_an_image_is_labelled_by_it(make_batch):
    images, scores = make_batch(8)
    shares = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    features = TEACHER.features(images)[1]
    index = torch.tensor([[0, 1], [2, 3]])
    found = similar_shares(features[[0, 3]], features, shares, index, 0.1)
    assert torch.equal(found, shares)
    # of two images of equal weight, that which the mix equals has the larger share
    even = similar_shares(features[[0, 3]], features, torch.full((2, 2), 0.5), index, 0.1)
    assert even[0, 0] > 0.5 and even[1, 1] > 0.5
    torch.testing.assert_close(even.sum(dim=1), torch.ones(2))


@pytest.mark.parametrize('share', [0.5, 1.0])
def test_a_mix_without_saliency_keeps_its_weights(make_batch, share, monkeypatch):
    images, scores = make_batch(4)
    teacher = make_teacher()

    def blind(inputs, classes=None, size=None):
        return torch.zeros(len(inputs), 10), torch.zeros(len(inputs), 1, 5, 5)

    monkeypatch.setattr(teacher, 'saliency', blind)
    _, targets, index, given = mix(
        AttendedLabels(teacher, share), (images, scores), 'SampleCutMix'
    )
    torch.testing.assert_close(targets, mix_labels(scores, index, given['weights'].tolist()))


@pytest.mark.parametrize('rule', [AttendedLabels, SimilarLabels])
def test_the_teacher_of_the_augment_serves(make_batch, rule):
    batch = make_batch(6)
    found = []
    for labels in (rule(), rule(TEACHER)):
        augment = ObjectPaste(TEACHER, labels=labels)
        torch.manual_seed(0)
        found.append(augment(*batch)[1])
    assert torch.equal(*found)
    with pytest.raises(ValueError, match=f'FMix mixes without; add teacher=.*{rule.__name__}'):
        BATCH_AUGMENTS.build(dict(type='FMix', labels=rule()))


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        (dict(type='AttendedLabels', teacher=TEACHER, share=1.5), 'share must be'),
        (dict(type='AttendedLabels', teacher=TEACHER, share='half'), 'share must be'),
        (dict(type='AttendedLabels', teacher=TEACHER, share=0), "labels='gt'"),
        (dict(type='SimilarLabels', teacher=TEACHER, temperature=1e-40), 'temperature must be'),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises((TypeError, ValueError), match=message):
        BATCH_AUGMENTS.build(dict(type='FMix', labels=settings))


def test_the_least_temperature_leaves_labels_finite(make_batch):
    for share in mix(SimilarLabels(TEACHER, 1e-3), make_batch(8), 'SampleCutMix')[1]:
        assert share.isfinite().all() and share.sum() == pytest.approx(1)


def test_a_teacher_without_a_linear_layer_is_refused_when_files_are_read():
    net = nn.Sequential(nn.Conv2d(3, 10, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    rule = SimilarLabels(FrozenTeacher(model=net, mean=120.0, std=60.0, channel_order='rgb'))
    with pytest.raises(
        ValueError, match='SimilarLabels compares .* no linear layer; give another'
    ):
        BATCH_AUGMENTS.build(dict(type='FMix', labels=rule)).load()
