"""Option values that were renamed."""

import pytest
import torch

from mmtmix.datasets import MixedImages
from mmtmix.engine import DistillHook
from mmtmix.models import SuperMix, TransformMix, TransformMixer
from mmtmix.utils import current_value, deprecation

pytestmark = pytest.mark.host


@pytest.fixture
def notes(monkeypatch):
    """Texts that are logged, in a process that has logged none."""
    monkeypatch.setattr(deprecation, '_noted', set())
    texts = []
    monkeypatch.setattr(deprecation, 'print_log', lambda text, **_: texts.append(text))
    return texts


def test_an_old_value_becomes_the_new_one_with_one_note(notes):
    renamed = {'old': 'new'}
    for _ in range(3):
        assert current_value('labels of Mix', 'old', renamed) == 'new'
    assert notes == ["labels of Mix: 'old' is deprecated, use 'new'; both do the same"]
    assert current_value('labels of Other', 'old', renamed) == 'new'
    assert len(notes) == 2


@pytest.mark.parametrize('value', ['new', 'unknown', 3, None, ['old']])
def test_other_values_stay_as_they_are(notes, value):
    assert current_value('labels', value, {'old': 'new'}) is value
    assert notes == []


def test_old_labels_of_augments_mix_as_before(notes, make_teacher):
    teacher = make_teacher()
    mixer = TransformMixer(cam_size=18, channels=4)
    images, scores = torch.randn(6, 3, 16, 16), torch.eye(10)[:6]
    for kind, settings, old, new in (
        (TransformMix, dict(mixer=mixer), 'given', 'gt'),
        (SuperMix, dict(max_iters=2), 'teacher', 'source_prediction'),
    ):
        found = []
        for labels in (old, new):
            torch.manual_seed(0)
            augment = kind(teacher, labels=labels, **settings)
            assert augment.labels == new
            found.append(augment(images, scores))
        assert all(torch.equal(a, b) for a, b in zip(*found, strict=True))
    assert [note.partition(':')[0] for note in notes] == [
        'labels of TransformMix',
        'labels of SuperMix',
    ]


def test_old_labels_of_generated_sets_and_of_distillation(notes):
    for old, new in (('winner', 'hard_teacher'), ('teacher', 'soft_teacher'), ('mixed', 'mixed')):
        assert MixedImages('nowhere', labels=old, lazy_init=True).labels == new
    teacher = dict(config='teacher.py', checkpoint='teacher.pth')
    mixed = dict(augment=dict(type='SampleMixup'))
    for old, new in (('teacher', 'hard_teacher'), ('target', 'mixed')):
        hook = DistillHook(teacher, preset='kd_mixed', mixed=mixed, mixed_cls=old)
        assert hook.mixed_cls == new
    assert len(notes) == 4
