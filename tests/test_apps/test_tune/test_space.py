"""Spaces: presets and files, and what of them does not fit a config."""

import pytest
from mmengine.config import Config
from optuna import distributions

from mmtmix.apps.tune import PRESETS, Parameter, read_space
from mmtmix.utils import load_config

pytestmark = pytest.mark.host
SEARCH = 'configs/transformmix/search_wrn16_fashionmnist_mini.py'
LR, EPOCHS = 'optim_wrapper.optimizer.lr', 'train_cfg.max_epochs'


@pytest.fixture(scope='module')
def cfg():
    return load_config(SEARCH)


def test_presets_follow_from_the_config(cfg):
    assert [each.path for each in read_space('schedule', cfg)] == [LR, EPOCHS]
    rate, epochs = read_space('schedule', cfg)
    assert (rate.low, rate.high, rate.log) == pytest.approx((1e-4, 1e-2, True))
    assert epochs.choices == (2, 4, 8, 16)
    names = [each.path.removeprefix('model.mixer.') for each in read_space('module', cfg)]
    assert names == ['saliency_noise', 'noise_size', 'anchored', 'random_orientation']
    warps = Config(cfg.to_dict())
    warps.model.mixer.transform = 'stn'
    assert read_space('module', warps)[-1].choices == ('zeros', 'border', 'reflection')
    assert len(read_space('all', warps)) == 7


@pytest.mark.parametrize('config', ['preactresnet18_cifar100', 'resnet50_imagenet'])
@pytest.mark.parametrize('preset', PRESETS)
def test_presets_fit_other_searches(config, preset):
    assert read_space(preset, load_config(f'configs/transformmix/search_{config}.py'))


def test_a_file_names_paths_with_choices_and_ranges(cfg, tmp_path):
    path = tmp_path / 'space.yml'
    path.write_text(
        f'{LR}: {{low: 1.0e-4, high: 1.0e-2, log: true}}\n'
        f'{EPOCHS}: {{low: 2, high: 8, step: 2}}\n'
        'model.mixer.channels: [8, 16]\n'
        'model.mixer.mask_size: {choices: [16, null]}\n'
        'train_dataloader.batch_size: {low: 32, high: 128, log: true}\n'
        'model.mixer.saliency_noise: {low: 0, high: 1.0}\n'
    )
    found = {each.path: each.distribution for each in read_space(path, cfg)}
    assert found == {
        LR: distributions.FloatDistribution(1e-4, 1e-2, log=True),
        EPOCHS: distributions.IntDistribution(2, 8, step=2),
        'model.mixer.channels': distributions.CategoricalDistribution((8, 16)),
        'model.mixer.mask_size': distributions.CategoricalDistribution((16, None)),
        'train_dataloader.batch_size': distributions.IntDistribution(32, 128, log=True),
        'model.mixer.saliency_noise': distributions.FloatDistribution(0, 1),
    }


BAD = [
    ({}, ValueError, 'no parameter'),
    ([LR], TypeError, '--space must be a path'),
    ({LR: 3}, TypeError, f'the space of {LR} must be a list'),
    ({LR: {'lo': 1}}, TypeError, "has no 'lo'; did you mean 'low'"),
    ({LR: []}, ValueError, 'no choices'),
    ({LR: [1e-3]}, ValueError, 'at least 2 different choices'),
    ({LR: [1e-3, 1e-3]}, ValueError, 'at least 2 different choices'),
    ({LR: {'low': 1e-3, 'high': 1e-3}}, ValueError, 'high .*got 0.001.*the range is empty'),
    ({LR: {'low': '1e-4', 'high': 1e-3}}, TypeError, r'write 1\.0e-4'),
    (
        {LR: {'low': 0, 'high': 1e-3, 'log': True}},
        ValueError,
        'low .* must be a finite number > 0',
    ),
    ({LR: {'low': 1e-4, 'high': 1.0, 'log': True, 'step': 1}}, ValueError, 'a step and log'),
    ({LR: {'low': 1e-4, 'choices': [1, 2]}}, ValueError, 'choices and a range'),
    ({LR: {'low': 1e-4}}, TypeError, 'high .* must be a finite number'),
    ({LR: [-1.0, 1e-3]}, ValueError, rf'{LR}=-1\.0 does not fit: .*learning rate'),
    ({'optim_wrapper.optimizer.lrr': [1, 2]}, ValueError, "there it has .*'betas'.*'lr'"),
    (
        {'model.mixer.chanels': [8, 16]},
        ValueError,
        "has no model.mixer.chanels; there .*'channels'",
    ),
    ({'model.mixer.kernel_size': [3, 4]}, ValueError, 'kernel_size=4 does not fit'),
    ({'model.mixer.padding_mode': ['zero', 'border']}, ValueError, "padding_mode='zero'"),
    ({'model.mixer.num_mix': [2, 3]}, ValueError, 'no setting of the search itself'),
    ({'model.alpha': [1.0, 2.0]}, ValueError, 'no setting of the search itself'),
    ({'model.teacher.saliency': ['cam', 'grad_cam']}, ValueError, 'another teacher'),
    ({'val_dataloader.batch_size': [8, 16]}, ValueError, 'no setting of the search itself'),
    ({'train_dataloader.dataset.indices': [8, 16]}, ValueError, 'no setting of the search'),
    ({'randomness.seed': [8, 16]}, ValueError, 'no setting of the search itself'),
    ({EPOCHS: [0, 4]}, ValueError, 'max_epochs must be .*got 0'),
    ({EPOCHS: [1.5, 4]}, ValueError, 'max_epochs must be an integer'),
    ({'model.mixer.padding_mode': ['border', 'a,b']}, ValueError, 'by --cfg-options'),
]


@pytest.mark.parametrize(('given', 'kind', 'message'), BAD)
def test_spaces_that_do_not_fit_are_refused(cfg, given, kind, message):
    with pytest.raises(kind, match=message):
        read_space(given, cfg)


def test_a_space_that_is_no_file_is_refused(cfg, tmp_path):
    with pytest.raises(FileNotFoundError, match='neither a file nor one of schedule, module, all'):
        read_space('schedul', cfg)
    (tmp_path / 'space.yml').write_text('a: [')
    with pytest.raises(ValueError, match='cannot be read as YAML or JSON'):
        read_space(tmp_path / 'space.yml', cfg)


def test_a_parameter_is_plain_again():
    for parameter in (Parameter(LR, low=1e-4, high=1e-2, log=True), Parameter(EPOCHS, (2, 4))):
        plain = parameter.content()
        again = dict(plain, choices=tuple(plain['choices'])) if 'choices' in plain else plain
        assert Parameter(parameter.path, **again) == parameter
