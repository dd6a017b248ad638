"""Bad values that no signature tells: nested settings, pairs, files and combinations."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from mmengine.config import Config
from mmpretrain.registry import BATCH_AUGMENTS, DATASETS, HOOKS, MODELS
from torch import nn

from mmtmix.apps.generate import GenerationSettings, read_settings
from mmtmix.engine.launch import build_runner
from mmtmix.models import FrozenTeacher, InputGradient
from mmtmix.models.saliency import build_saliency
from mmtmix.models.teachers import InputStats
from mmtmix.utils import scale_epochs
from mmtmix.visualization.labels import check_rows

pytestmark = pytest.mark.host

FILES = dict(config='teacher.py', checkpoint='teacher.pth')
NET = dict(model=nn.Sequential(nn.Flatten(), nn.Linear(4, 2)), mean=0, std=255)
NAN, INF = math.nan, math.inf


def _augment(kind: str, **settings: Any) -> Any:
    return lambda: BATCH_AUGMENTS.build(dict(type=kind, **settings))


def _teacher(**settings: Any) -> Any:
    return _augment('SuperMix', teacher=FILES | settings)


def _saliency(**settings: Any) -> Any:
    return _augment('SaliencyMix', saliency=settings)


def _hook(**settings: Any) -> Any:
    return lambda: HOOKS.build(dict(type='DistillHook', teacher=FILES) | settings)


def _distill(**settings: Any) -> Any:
    return _hook(losses=[settings])


def _generation(**settings: Any) -> Any:
    return lambda: read_settings(Config(dict(generation=dict(num=4) | settings)))


def _search(**settings: Any) -> Any:
    mixer = dict(type='TransformMixer')
    good = dict(type='MixerSearch', teacher=FILES, mixer=mixer)
    return lambda: MODELS.build(good | settings)


def _dataset(kind: str, **settings: Any) -> Any:
    return lambda: DATASETS.build(dict(type=kind, lazy_init=True, **settings))


def _stats(**settings: Any) -> Any:
    return lambda: InputStats.from_dict(settings)


CASES: list[tuple[Any, type[Exception], str]] = [
    # a teacher's settings, nested in whatever holds it
    (_teacher(checkpont='a.pth'), TypeError, "teacher has no 'checkpont'; .*'checkpoint'"),
    (_teacher(saliency='grad-cam'), ValueError, "saliency .*did you mean 'grad_cam'"),
    (_teacher(dtype='bf16'), ValueError, 'dtype must be one of'),
    (_teacher(channels_last='no'), TypeError, 'channels_last must be True or False'),
    (_teacher(compile='yes'), TypeError, 'compile must be True or False'),
    (_teacher(num_extra_tokens=1.0), TypeError, 'num_extra_tokens'),
    (_teacher(input_stats=dict(mean=[0], sdt=[1])), TypeError, "no 'sdt'; did you mean 'std'"),
    (_teacher(input_stats=dict(std=[0.0])), ValueError, 'std must be .* > 0'),
    (_teacher(config=3), TypeError, 'config must be'),
    (_teacher(checkpoint=3), TypeError, 'checkpoint must be a path'),
    (_teacher(saliency='input_gradient', cam_layer='fc'), ValueError, 'cam_layer'),
    (_hook(teacher=dict(FILES, checkpont='a')), TypeError, "no 'checkpont'"),
    (_search(teacher=dict(FILES, checkpont='a')), TypeError, "no 'checkpont'"),
    (lambda: FrozenTeacher(**NET | dict(std=NAN)), ValueError, 'std must be'),
    (lambda: FrozenTeacher(**NET | dict(std=INF)), ValueError, 'std must be'),
    (lambda: FrozenTeacher(**NET | dict(std=0)), ValueError, 'std must be'),
    (lambda: FrozenTeacher(**NET | dict(std=-5.0)), ValueError, 'std must be'),
    (lambda: FrozenTeacher(**NET | dict(mean=[NAN])), ValueError, 'mean must be'),
    (lambda: FrozenTeacher(**NET | dict(mean='0')), TypeError, 'mean must be'),
    (lambda: FrozenTeacher(**NET | dict(mean=[True])), TypeError, 'mean must be'),
    (lambda: FrozenTeacher(**NET | dict(mean=[])), ValueError, 'mean must be'),
    # statistics of images
    (_stats(mean=[0.0], std=[NAN]), ValueError, 'std must be'),
    (_stats(mean=[INF], std=[1.0]), ValueError, 'mean must be'),
    (_stats(mean=['0'], std=[1.0]), TypeError, 'mean must be'),
    (_stats(std=[-1.0]), ValueError, 'std must be'),
    (_stats(channel_order='RGB'), ValueError, 'channel_order must be'),
    # sources of saliency
    (lambda: build_saliency('InputGradiant'), ValueError, "did you mean 'InputGradient'"),
    (lambda: build_saliency(dict(kind='InputGradient')), TypeError, 'saliency must be'),
    (_saliency(type='InputGradient', clean_lamb=1.0), TypeError, "did you mean 'clean_lam'"),
    (_saliency(type='InputGradient', clean_lam=INF), ValueError, 'clean_lam'),
    (_saliency(type='InputGradient', clean_factor=0), ValueError, 'clean_factor'),
    (_saliency(type='TeacherCAM', teacher=FILES, cam_class='label'), ValueError, 'cam_class'),
    (_saliency(type='TeacherCAM', teacher=3), TypeError, 'teacher must be'),
    (lambda: InputGradient(clean_factor=True), TypeError, 'clean_factor'),
    # settings that a mixer hands on
    (_augment('SuperMix', teacher=FILES, lamda_s=5.0), TypeError, "did you mean 'lambda_s'"),
    (_augment('SuperMix', teacher=FILES, num_mx=2), TypeError, "did you mean 'num_mix'"),
    (_augment('SuperMix', teacher=FILES, method='newtn'), ValueError, "did you mean 'newton'"),
    (_augment('SuperMix', teacher=FILES, lr=INF), ValueError, 'lr must be'),
    (_augment('SuperMix', teacher=FILES, smoothing=0), ValueError, 'smoothing must be'),
    (_augment('SuperMix', teacher=FILES, step_range=(2.0, 1.0)), ValueError, 'step_range'),
    (_augment('SuperMix', teacher=FILES, step_range=(1.0, INF)), ValueError, 'step_range'),
    (_augment('SuperMix', teacher=FILES, step_range=3.0), TypeError, 'step_range'),
    (_augment('SuperMix', teacher=FILES, min_iters=9, max_iters=8), ValueError, 'min_iters'),
    (_augment('SuperMix', teacher=FILES, num_mix=4, num_classes=3), ValueError, '3 classes'),
    (_augment('CoMixup', betta=1.0), TypeError, "did you mean 'beta'"),
    (_augment('CoMixup', sweeps=True), TypeError, 'sweeps must be'),
    (_augment('CoMixup', tau=INF), ValueError, 'tau must be'),
    (_augment('CoMixup', resolve=0), TypeError, 'resolve must be'),
    # pairs, lists and combinations
    (_augment('SmoothMix', sigma=(0.5, 0.25)), ValueError, 'sigma must be'),
    (_augment('SmoothMix', sigma=(0.25, INF)), ValueError, 'sigma must be'),
    (_augment('SmoothMix', sigma=0.25), TypeError, 'sigma must be'),
    (_augment('SmoothMix', sigma=('a', 'b')), TypeError, 'sigma must be'),
    (_augment('SampleResizeMix', lam_min=0.8, lam_max=0.1), ValueError, 'lam_max must be'),
    (_augment('FMix', num_mix=3, max_soft=0.1), ValueError, 'num_mix must be 2 with soft'),
    (_augment('AttentiveMix', teacher=FILES, num_cells=50), ValueError, 'num_cells must be'),
    (_augment('AttentiveMix', teacher=FILES, num_mix=3), ValueError, 'num_mix must be'),
    (_augment('AttentiveMix'), ValueError, 'give either a teacher'),
    (_augment('PuzzleMix', block_num=[2, True]), TypeError, 'block_num must be'),
    (_augment('PuzzleMix', block_num=[2, 0]), ValueError, 'block_num must be'),
    (_augment('PuzzleMix', block_num=[]), ValueError, 'block_num must be'),
    (_augment('PuzzleMix', block_num='4'), TypeError, 'block_num must be'),
    (_augment('PuzzleMix', t_size=0), ValueError, 't_size must be'),
    (_augment('PuzzleMix', input_stats=dict(std=[0])), ValueError, 'std must be'),
    (_augment('PuzzleMix', num_mix=3), ValueError, 'num_mix must be'),
    (_augment('TransformMix', teacher=FILES, mixer=3), TypeError, 'mixer must be'),
    (lambda: MODELS.build(dict(type='TransformMixer', kernel_size=4)), ValueError, 'kernel_size'),
    (lambda: MODELS.build(dict(type='TransformMixer', cam_size=17)), ValueError, 'cam_size'),
    (lambda: MODELS.build(dict(type='ShakeShake', base_channels=19)), ValueError, 'base_channels'),
    (lambda: MODELS.build(dict(type='CifarResNet', depth=9)), ValueError, 'depth must be'),
    (_search(mixer='mixer.pth'), TypeError, 'mixer must be'),
    # distillation
    (_hook(preset='kd_mix'), ValueError, "preset must be .*did you mean 'kd_mixed'"),
    (_hook(losses='KDLoss'), TypeError, 'losses must be a list'),
    (_hook(losses=dict(type='KDLoss')), TypeError, 'losses must be a list'),
    (_hook(losses=[dict(temperature=4)]), TypeError, 'losses must be a list'),
    (_distill(type='KDLos'), ValueError, "losses must be .*did you mean 'KDLoss'"),
    (_distill(type='KDLoss', temprature=4.0), TypeError, "did you mean 'temperature'"),
    (_distill(type='KDLoss', temperature=INF), ValueError, 'temperature must be'),
    (_distill(type='CRDLoss', momentum=1.0), ValueError, 'momentum must be'),
    (_distill(type='SoftmaxBCELoss'), TypeError, 'losses must be'),
    (_hook(preset='kd', cls_weight=NAN), ValueError, 'cls_weight must be'),
    (_hook(preset='kd', cls_weight='1'), TypeError, 'cls_weight must be'),
    (_hook(preset='kd_mixed', mixed=dict(augments={})), TypeError, "did you mean 'augment'"),
    (_hook(preset='kd_mixed', mixed=dict(augment={})), TypeError, 'mixed.augment must be'),
    (_hook(preset='kd_mixed', mixed=dict(dataloader=3)), TypeError, 'mixed.dataloader must be'),
    (_hook(preset='kd', kd_on='mixed'), ValueError, "kd_on='mixed' needs mixed images"),
    # names of files in the work dir, and what is passed on
    (lambda: HOOKS.build(dict(type='LastCheckpointHook', filename='a/b')), ValueError, 'filename'),
    (lambda: HOOKS.build(dict(type='LastCheckpointHook', filename='..')), ValueError, 'filename'),
    (lambda: HOOKS.build(dict(type='FiniteStopHook', filename='/a.pth')), ValueError, 'filename'),
    # mixed sets
    (_generation(shard_sizes=4), TypeError, "generation has no 'shard_sizes'; .*'shard_size'"),
    (_generation(num=0), ValueError, 'num must be'),
    (_generation(num='12'), TypeError, 'num must be'),
    (_generation(flip_prob=NAN), ValueError, 'flip_prob must be'),
    (_generation(keep='finish'), ValueError, "keep must be .*did you mean 'finished'"),
    (lambda: read_settings(Config(dict(generation=[3]))), TypeError, 'generation must be a dict'),
    (lambda: read_settings(Config({})), ValueError, 'generation needs num'),
    (lambda: GenerationSettings(num=True), TypeError, 'num must be'),
    # data sets
    (_dataset('Digits', split='training'), ValueError, "split must be .*did you mean 'train'"),
    (_dataset('Digits', num_train=1797), ValueError, 'num_train must be'),
    (_dataset('TinyImageNet', data_root='a', split='test'), ValueError, 'split .*no labels'),
    (_dataset('Flowers102Split818', data_root='a', test_ids=3), TypeError, 'test_ids must be'),
    (_dataset('MixedImages', data_root='', labels='mixed'), ValueError, 'data_root must be'),
    # schedules and figures
    (lambda: scale_epochs([10, 0], 1, 1), ValueError, 'epochs must be'),
    (lambda: scale_epochs([10, 'a'], 1, 1), TypeError, 'epochs must be'),
    (lambda: check_rows([0, 4], None, 4), ValueError, 'rows must be'),
    (lambda: check_rows([0.5], None, 4), TypeError, 'rows must be'),
]


@pytest.mark.parametrize('number', range(len(CASES)))
def test_a_bad_value_is_refused_with_its_name(number):
    make, error, said = CASES[number]
    with pytest.raises(error, match=said) as raised:
        make()
    assert type(raised.value) is error


def test_an_error_in_the_config_of_a_run_names_class_argument_and_value(tmp_path: Path):
    augment = dict(type='SmoothMix', alpha='1')
    model = dict(
        type='ImageClassifier',
        backbone=dict(type='CifarResNet', depth=8),
        head=dict(type='LinearClsHead', num_classes=4, in_channels=64),
        train_cfg=dict(augments=augment),
    )
    cfg = Config(dict(default_scope='mmpretrain', model=model, work_dir=str(tmp_path)))
    with pytest.raises(TypeError, match="alpha must be a finite number > 0, got '1'; with 1 all"):
        build_runner(cfg)
