"""Names and configs of label rules, and what is refused."""

import pytest
from mmpretrain.registry import BATCH_AUGMENTS

from mmtmix.models import LabelRule, VisibleLabels, build_labels

pytestmark = pytest.mark.host


class Own(LabelRule):
    """Gives all of the label to the image itself, and counts its mixes."""

    def __call__(self, mix):
        weights = mix.details['weights'].clone().zero_()
        weights[:, 0] = 1
        return dict(weights=weights)


def test_names_configs_and_rules():
    assert build_labels('gt') is None
    assert isinstance(build_labels('visible'), VisibleLabels)
    assert build_labels('hard_teacher').kind == 'hard'
    assert build_labels('soft_teacher').kind == 'soft'
    assert build_labels(dict(type=Own)).needs_masks is False
    rule = Own()
    assert build_labels(rule) is rule
    seeing = build_labels(dict(type='VisibleLabels', saliency='TrueMasks', per_image=False))
    assert seeing.saliency.title == 'True mask' and not seeing.per_image


@pytest.mark.parametrize(
    ('labels', 'error', 'match'),
    [
        ('visble', ValueError, "did you mean 'visible'"),
        (3, TypeError, 'labels must be a name'),
        ({}, TypeError, 'labels must be a name'),
        (dict(type='Nonesuch'), ValueError, "labels must be one of 'AttendedLabels'"),
        (dict(type='VisibleLabels', salency='TrueMasks'), TypeError, "'salency'.*saliency"),
        (dict(type='VisibleLabels', saliency='Truemasks'), ValueError, "mean 'TrueMasks'"),
    ],
)
def test_others_are_refused(labels, error, match):
    with pytest.raises(error, match=match):
        build_labels(labels)


def test_a_rule_of_one_s_own(make_batch):
    images, scores = make_batch(6)
    augment = BATCH_AUGMENTS.build(dict(type='FMix', labels=Own()))
    _, targets = augment(images, scores)
    assert (targets == scores).all()


def test_a_task_s_own_names_stay(make_batch):
    mixer = dict(type='TransformMix', teacher=dict(config='a.py', checkpoint='a.pth'))
    mixer['mixer'] = 'mixer.pth'
    for labels in ('gt', 'visible', 'given'):
        assert BATCH_AUGMENTS.build(dict(mixer, labels=labels)).label_rule is None
    assert BATCH_AUGMENTS.build(dict(mixer, labels='VisibleLabels')).label_rule is not None
    solver = dict(type='SuperMix', teacher=dict(config='a.py', checkpoint='a.pth'))
    for labels in ('gt', 'source_prediction', 'teacher'):
        assert BATCH_AUGMENTS.build(dict(solver, labels=labels)).label_rule is None
    with pytest.raises(ValueError, match='SuperMix mixes without any'):
        BATCH_AUGMENTS.build(dict(solver, labels='visible'))
