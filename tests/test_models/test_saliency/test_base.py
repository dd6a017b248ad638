"""Sources of saliency by name, config and object."""

import pytest
from mmpretrain.registry import BATCH_AUGMENTS

from mmtmix.models import InputGradient, SaliencySource, TeacherCAM, build_saliency

pytestmark = pytest.mark.host


def test_a_source_is_built_by_name_and_by_config(teacher_args):
    assert isinstance(build_saliency('InputGradient'), InputGradient)
    source = build_saliency(dict(type='InputGradient', clean_lam=0.5))
    assert source.clean_lam == 0.5
    config = dict(type='TeacherCAM', teacher=teacher_args(), cam_class='predicted')
    before = dict(config)
    source = build_saliency(config)
    assert isinstance(source, TeacherCAM)
    assert source.cam_class == 'predicted'
    assert config == before
    assert build_saliency(dict(type=InputGradient, clean_lam=2.0)).clean_lam == 2.0


def test_a_source_is_shared():
    class Own(SaliencySource):
        def __call__(self, batch_inputs, batch_scores):
            return batch_inputs[:, :1]

    source = Own()
    assert build_saliency(source) is source


def test_an_unknown_name_is_refused_with_those_there_are():
    for wrong in ('Guess', dict(type='Guess')):
        with pytest.raises(
            ValueError, match=r"saliency must be one of .*'InputGradient'.*, got 'Guess'"
        ):
            build_saliency(wrong)


@pytest.mark.parametrize('wrong', [None, 3, ['InputGradient'], dict(clean_lam=1.0)])
def test_what_is_no_source_is_refused(wrong):
    with pytest.raises(TypeError, match=r'must be a name, dict\(type=..., ...\) or'):
        build_saliency(wrong)


@pytest.mark.parametrize(
    ('source', 'said'),
    [
        (
            'TeacherCAM',
            r"saliency='TeacherCAM' has no teacher; add teacher=\.{3} to dict\(type='TeacherCAM'",
        ),
        (dict(type='RefinedSaliency'), "saliency='RefinedSaliency' has no source"),
    ],
)
def test_a_source_without_what_it_needs_is_refused(source, said):
    with pytest.raises(TypeError, match=said):
        build_saliency(source)
    with pytest.raises(TypeError, match=said):
        BATCH_AUGMENTS.build(dict(type='ObjectPaste', saliency=source))
