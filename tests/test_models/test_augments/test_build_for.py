"""What a mixer that is built outside of a run is told of the images."""

import pytest
from mmengine.config import Config

from mmtmix.models import SaliencyMix, TeacherCAM
from mmtmix.models.augments import build_for

pytestmark = pytest.mark.host

STATS = dict(mean=[10.0], std=[5.0])


@pytest.fixture
def cfg():
    return Config(dict(data_preprocessor=STATS, model=dict()))


@pytest.mark.parametrize(
    'settings',
    [
        dict(type='AttentiveMix', teacher=True),
        dict(type='SaliencyMix', saliency=dict(type='TeacherCAM', teacher=True)),
        dict(type=SaliencyMix, saliency=dict(type=TeacherCAM, teacher=True)),
        dict(
            type='SaliencyMix',
            saliency=dict(type='OtherImages', source=dict(type='TeacherCAM', teacher=True)),
        ),
        dict(
            type='FMix',
            labels=dict(type='VisibleLabels', saliency=dict(type='TeacherCAM', teacher=True)),
        ),
        dict(type='FMix', labels=dict(type='TeacherLabels', teacher=True)),
    ],
)
def test_teachers_wherever_they_are_get_the_images_statistics(cfg, teacher_args, settings):
    place = settings
    while 'teacher' not in place:
        place = next(place[name] for name in ('saliency', 'source', 'labels') if name in place)
    place['teacher'] = teacher_args(in_channels=1)
    mixer = build_for(settings, cfg)
    (holder,) = mixer.teacher_holders
    told = holder.teacher._inputs.given
    assert (told.mean, told.std) == ((10.0,), (5.0,))


@pytest.mark.parametrize(
    'settings',
    [
        dict(type='SaliencyMix'),
        dict(type='SaliencyMix', saliency='FineGrainedSaliency'),
        dict(type='PuzzleMix', saliency='FineGrainedSaliency'),
    ],
)
def test_fine_grained_saliency_is_told_too(cfg, settings):
    mixer = build_for(settings, cfg)
    assert mixer.saliency._stats.std == (5.0,)
    if settings['type'] == 'PuzzleMix':
        assert mixer._stats.std == (5.0,)


def test_what_a_config_says_stays(cfg):
    own = dict(mean=[1.0], std=[2.0])
    source = dict(type='FineGrainedSaliency', input_stats=own)
    assert build_for(dict(type='SaliencyMix', saliency=source), cfg).saliency._stats.std == (2.0,)
