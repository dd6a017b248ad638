"""The mixer of a config, without a run."""

import copy

import pytest
import torch
from mmengine.config import Config

from mmtmix.models import SampleMixup, SuperMix
from mmtmix.models.augments import augment_config, build_augment, with_input_stats
from mmtmix.models.teachers import InputStats, loaded_order

pytestmark = pytest.mark.host

MIXUP = dict(type='SampleMixup', num_mix=3)
FOREIGN = dict(type='Mixup', alpha=1.0)
STATS = dict(mean=[100.0], std=[50.0], to_rgb=False)


def config(augments=None, **fields):
    return Config(dict(model=dict(train_cfg=dict(augments=augments)), **fields))


@pytest.mark.parametrize(
    'cfg',
    [
        config(MIXUP),
        config([MIXUP]),
        config([FOREIGN, MIXUP, dict(type='SampleCutMix')]),
        config([dict(type='NoSuchAugment'), MIXUP]),
        Config(dict(model=dict(data_preprocessor=dict(batch_augments=dict(augments=[MIXUP]))))),
        Config(dict(model=dict(), data_preprocessor=dict(batch_augments=dict(augments=MIXUP)))),
    ],
)
def test_the_first_mixer_of_ours_is_found_wherever_mmpretrain_looks(cfg):
    assert augment_config(cfg) == MIXUP
    mixer = build_augment(cfg)
    assert isinstance(mixer, SampleMixup) and mixer.num_mix == 3


def test_the_type_may_be_the_class():
    assert augment_config(config(dict(type=SampleMixup, num_mix=4))).num_mix == 4


@pytest.mark.parametrize(
    'cfg',
    [
        config([FOREIGN]),
        config([]),
        config(),
        Config(dict(model=dict(train_cfg=None), data_preprocessor=None)),
        Config(dict(model=dict(), data_preprocessor=dict(batch_augments=None))),
        config(FOREIGN, data_preprocessor=dict(batch_augments=dict(augments=MIXUP))),
    ],
)
def test_a_config_without_one_is_refused(cfg):
    with pytest.raises(ValueError, match='none of the augments in .* is one of mmtmix'):
        augment_config(cfg)


def test_settings_can_be_changed_and_the_config_is_not():
    cfg = config(MIXUP)
    before = copy.deepcopy(cfg.to_dict())
    assert build_augment(cfg, num_mix=2, alpha=0.5).num_mix == 2
    assert cfg.to_dict() == before
    with pytest.raises(ValueError, match='num_mix must be an integer >= 2'):
        build_augment(cfg, num_mix=1)


def test_a_teacher_is_told_how_the_configs_images_are_normalised(teacher_args):
    teacher = teacher_args(in_channels=1)
    cfg = config(dict(type='SuperMix', teacher=teacher), data_preprocessor=dict(STATS))
    mixer = build_augment(cfg)
    assert isinstance(mixer, SuperMix)
    own = teacher['config']['data_preprocessor']
    inputs = torch.randn(4, 1, 16, 16)
    pixels = inputs * STATS['std'][0] + STATS['mean'][0]
    with torch.no_grad():
        expected = mixer.teacher.model((pixels - own['mean'][0]) / own['std'][0], mode='tensor')
        torch.testing.assert_close(mixer.teacher(inputs), expected, atol=1e-4, rtol=1e-4)
    assert 'input_stats' not in cfg.model.train_cfg.augments.teacher


@pytest.mark.parametrize(
    'cfg',
    [
        config(data_preprocessor=STATS),
        Config(dict(model=dict(data_preprocessor=STATS), data_preprocessor=dict(mean=[1.0]))),
    ],
)
def test_the_models_own_preprocessor_goes_first_and_the_teachers_settings_win(cfg):
    teacher = with_input_stats(dict(config='c.py', checkpoint='c.pth'), cfg)
    told = InputStats.from_preprocessor(STATS, loaded_order(cfg))
    assert (told.mean, told.std) == ((100.0,), (50.0,))
    assert teacher == dict(config='c.py', checkpoint='c.pth', input_stats=told)
    own = dict(mean=(1.0,), std=(2.0,))
    assert with_input_stats(dict(config='c.py', input_stats=own), cfg).input_stats == own


def test_without_a_preprocessor_images_come_as_they_are():
    teacher = with_input_stats(dict(config='c.py'), Config(dict(model=dict())))
    assert (teacher.input_stats.mean, teacher.input_stats.std) == ((), ())
    assert teacher.input_stats.channel_order is None
