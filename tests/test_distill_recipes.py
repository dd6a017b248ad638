"""The recipes of the distillation experiments, against the papers' numbers."""

import copy
import inspect
import math
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.optim import LinearLR, MultiStepLR

from mmtmix.apps.generate import read_settings
from mmtmix.models import SuperMix
from mmtmix.models.augments import augment_config
from mmtmix.recipes import PAIRS, mixed_pipeline_of, pair_names
from mmtmix.utils import load_config

ROOT = Path(__file__).resolve().parents[1]
MINI = 'wrn16_wrn10_fashionmnist_mini'
IMAGENET = ['resnet34_resnet18', 'resnet34_resnet18_k3']
CIFAR = pair_names('cifar100')
FIFTH = ('mobilenetv2', 'shufflenetv1', 'shufflenetv2')  # of the learning rate, as students
TEACHERS = sorted(path.stem for path in ROOT.glob('configs/distill/teacher_*.py'))
METHODS = {path.stem for path in ROOT.glob('configs/distill/*.py')} - set(TEACHERS)
METHODS -= {'mixes_fashionmnist_mini'}  # of one bed, not of a pair
CLEAN = {'student', 'kd', 'crd', 'crd_kd'}
MIXED = METHODS - CLEAN


@cache
def _load(method, pair):
    return load_config(f'configs/distill/{method}.py', variants=dict(PAIR=pair))


def load(method, pair):
    """Load a method's config of one's own with a pair."""
    return copy.deepcopy(_load(method, pair))


def learning_rates(cfg, length):
    """The learning rate in each step, as MMEngine's hook steps its schedules."""
    sgd = torch.optim.SGD([torch.zeros(1)], lr=cfg.optim_wrapper.optimizer.lr)
    settings = cfg.param_scheduler
    schedules = []
    for schedule in settings if isinstance(settings, list) else [settings]:
        schedule = schedule.to_dict()
        cls = dict(MultiStepLR=MultiStepLR, LinearLR=LinearLR)[schedule.pop('type')]
        schedules.append(cls(sgd, **schedule))
    rates = []
    for _ in range(cfg.train_cfg.max_epochs):
        for _ in range(length):
            rates.append(sgd.param_groups[0]['lr'])
            sgd.step()
            for schedule in schedules:
                if not schedule.by_epoch:
                    schedule.step()
        for schedule in schedules:
            if schedule.by_epoch:
                schedule.step()
    return rates


def test_mixed_images_of_cifar_are_cropped_less_than_clean_ones():
    cfg = load('kd_supermix', 'vgg13_vgg8')
    flip = dict(type='RandomFlip', prob=0.5, direction='horizontal')
    for padding, pipeline in (
        (4, cfg.train_dataloader.dataset.pipeline),
        (2, mixed_pipeline_of('vgg13_vgg8')),
    ):
        crop = dict(type='RandomCrop', crop_size=32, padding=padding)
        assert pipeline == [crop, flip, dict(type='PackInputs')]


@pytest.mark.parametrize('pair', CIFAR)
def test_recipes_on_cifar_are_the_papers(pair):
    share = 1 / 5 if pair.endswith(FIFTH) else 1
    sgd = dict(type='SGD', momentum=0.9, weight_decay=5e-4)
    for method in METHODS:
        if method.endswith('transformmix') and not pair.startswith('wrn40_2'):
            continue
        cfg = load(method, pair)
        epochs, batch, lr = (600, 128, 0.1) if method in MIXED else (240, 64, 0.05)
        assert cfg.train_cfg == dict(by_epoch=True, max_epochs=epochs, val_interval=1)
        assert cfg.train_dataloader.batch_size == cfg.auto_scale_lr.base_batch_size == batch
        assert cfg.train_dataloader.dataset.type == 'CIFAR100'
        optimizer = cfg.optim_wrapper.optimizer.to_dict()
        assert optimizer.pop('lr') == pytest.approx(lr * share)
        assert optimizer == sgd


@pytest.mark.parametrize('share', [1, 1 / 5])
def test_learning_rates_on_cifar_fall_at_the_papers_epochs(share):
    pair = 'wrn40_2_wrn16_2' if share == 1 else 'vgg13_mobilenetv2'
    for method, lr, ends in (
        ('kd', 0.05 * share, [150, 180, 210, 240]),
        ('kd_supermix', 0.1 * share, [200, 300, 400, 500, 600]),
    ):
        cfg = load(method, pair)
        if method == 'kd_supermix':
            cfg.param_scheduler = cfg.param_scheduler[1:]  # without the warm-up
        rates = learning_rates(cfg, length=1)
        for power, (start, end) in enumerate(zip([0, *ends], ends, strict=False)):
            assert rates[start:end] == pytest.approx([lr * 0.1**power] * (end - start))


def test_a_warm_up_is_a_line_from_almost_nothing():
    cfg = load('kd_supermix', 'wrn40_2_wrn16_2')
    cfg.train_cfg.max_epochs = 51
    rates = learning_rates(cfg, length=391)
    wanted = [0.1 * (1e-3 + (1 - 1e-3) * step / 19_534) for step in range(19_535)]
    wanted += [0.1] * (51 * 391 - 19_535)
    np.testing.assert_allclose(rates, wanted, rtol=1e-6)


@pytest.mark.parametrize('method', sorted(MIXED))
def test_a_warm_up_takes_five_epochs_of_the_mixed_set(method):
    """In the public code, which doesn't divide it by kappa; online mixes stand for as many."""
    images = 1_281_100 if method.endswith('imgnet32') else 500_000
    wanted = 5 * math.ceil(images / 128)
    assert wanted == (50_045 if method.endswith('imgnet32') else 19_535)
    pair = 'wrn40_2_shufflenetv1'
    warm_up, decay = load(method, pair).param_scheduler
    linear = dict(type='LinearLR', start_factor=1e-3, by_epoch=False, begin=0, end=wanted)
    assert warm_up == linear
    assert decay == load('ce_supermix', pair).param_scheduler[1]


@pytest.mark.parametrize('pair', IMAGENET)
@pytest.mark.parametrize('method', ['kd', 'crd', 'ce_cutmix', 'kd_supermix'])
def test_the_recipe_on_imagenet_is_the_papers(method, pair):
    cfg = load(method, pair)
    assert cfg.optim_wrapper.optimizer == dict(type='SGD', lr=0.1, momentum=0.9, weight_decay=1e-4)
    assert cfg.train_cfg.max_epochs == 100
    assert cfg.train_dataloader.batch_size == cfg.auto_scale_lr.base_batch_size == 256
    rates = learning_rates(cfg, 1)
    expected = [0.1] * 30 + [0.01] * 30 + [1e-3] * 30 + [1e-4] * 10
    assert rates == pytest.approx(expected)


def test_the_small_pair_trains_alike_with_and_without_mixed_images():
    clean, mixed = load('kd', MINI), load('kd_mixup', MINI)
    for field in ('optim_wrapper', 'param_scheduler', 'train_cfg', 'train_dataloader'):
        assert clean[field] == mixed[field]


@pytest.mark.parametrize('teacher', TEACHERS)
def test_teachers_have_the_recipe_of_students_without_mixed_images(teacher):
    cfg = load_config(f'configs/distill/{teacher}.py')
    student = load('student', IMAGENET[0] if 'imagenet' in teacher else 'vgg13_vgg8')
    for field in ('optim_wrapper', 'param_scheduler', 'train_cfg', 'train_dataloader'):
        assert cfg[field] == student[field]
    assert 'requires' not in cfg


def test_sets_are_as_large_as_the_papers_and_solved_with_its_settings():
    sets = sorted({pair.mixed_set for name, pair in PAIRS.items() if name != MINI})
    assert len(sets) == 6 + 2
    for config in sets:
        cfg = load_config(config)
        settings, options = read_settings(cfg)
        assert (settings.keep, settings.flip_prob) == ('finished', 0.5)
        assert options['pipeline'] is None  # that of validation: no crops
        is_imagenet = 'imagenet' in config
        assert settings.num == (1_000_000 if is_imagenet else 500_000)
        defaults = inspect.signature(SuperMix).parameters
        mixer = augment_config(cfg)
        names = ('num_mix', 'alpha', 'lambda_s', 'min_iters')
        names += ('mask_size', 'sigma', 'max_unfinished_ratio')
        used = [mixer.get(name, defaults[name].default) for name in names]
        # one step before the check, as in the code that the figures come from
        own = [int(config[-4]), 3, 25, 1, 16, 2, 0.5] if is_imagenet else [2, 3, 25, 1, 8, 1, 0.1]
        assert used == own


def test_the_search_is_that_of_the_papers_other_networks():
    cfg = load_config('configs/transformmix/search_wrn40_2_cifar100.py')
    other = load_config('configs/transformmix/search_wrn28_cifar100.py')
    for field in ('optim_wrapper', 'train_cfg', 'val_evaluator'):
        assert cfg[field] == other[field]
    assert (cfg.model.mixer, cfg.model.alpha) == (other.model.mixer, other.model.alpha)
    assert cfg.train_dataloader.batch_size == other.train_dataloader.batch_size == 128
    assert cfg.model.type == other.model.type
