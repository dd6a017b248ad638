"""Sources of saliency and labels by their short names."""

import pytest

from mmtmix.models import build_labels, build_saliency
from mmtmix.recipes import (
    LABELS,
    SALIENCY,
    named_labels,
    named_saliency,
    teacher_from,
    uses_teacher,
    visible_labels,
)

TEACHER = dict(config='configs/simple/a.py', produces='work_dirs/simple/a/last.pth')
KINDS = dict(
    cam=['TeacherCAM'],
    refined=['RefinedSaliency', 'TeacherCAM'],
    true=['TrueMasks'],
    other_cam=['OtherImages', 'TeacherCAM'],
    other_refined=['OtherImages', 'RefinedSaliency', 'TeacherCAM'],
    other_true=['OtherImages', 'TrueMasks'],
    noise=['NoiseSaliency'],
)


def kinds_of(source):
    return [type(part).__name__ for part in source.parts]


def test_each_name_is_the_source_that_it_says():
    assert set(KINDS) == set(SALIENCY)
    for name, kinds in KINDS.items():
        assert kinds_of(build_saliency(named_saliency(name, TEACHER))) == kinds
        assert uses_teacher(name) == ('TeacherCAM' in kinds)


def test_labels_count_the_named_saliency():
    for name, kinds in KINDS.items():
        rule = build_labels(visible_labels(name, TEACHER))
        assert (type(rule).__name__, kinds_of(rule.saliency)) == ('VisibleLabels', kinds)


def test_other_labels_read_the_mix_by_the_teacher():
    rules = dict(sources='TeacherLabels', attended='AttendedLabels', similar='SimilarLabels')
    assert set(LABELS) == {*KINDS, *rules}
    for name, kind in rules.items():
        rule = build_labels(named_labels(name, TEACHER))
        assert type(rule).__name__ == kind and rule.has_teacher and uses_teacher(name)
    assert build_labels(named_labels('sources', TEACHER)).kind == 'sources'
    assert named_labels('other_cam', TEACHER) == visible_labels('other_cam', TEACHER)
    assert not uses_teacher('gt')


def test_the_teacher_keeps_its_settings():
    named = teacher_from(TEACHER, channels_last=True)
    assert named_saliency('cam', named) == dict(type='TeacherCAM', teacher=named)
    assert named_saliency('refined', TEACHER)['source']['teacher'] == teacher_from(TEACHER)


def test_a_wrong_name_or_teacher_is_refused():
    with pytest.raises(ValueError, match='name must be one of .*got .grad_cam.'):
        named_saliency('grad_cam', TEACHER)
    with pytest.raises(ValueError, match='name must be one of .*similar.*got .alike.'):
        named_labels('alike', TEACHER)
    with pytest.raises(TypeError, match='teacher must be an entry of `requires`'):
        visible_labels('other_cam', 'last.pth')
