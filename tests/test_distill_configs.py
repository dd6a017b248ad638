"""The distillation experiments: each method with each pair that it is for."""

import os
from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmpretrain.registry import HOOKS, MODELS

from mmtmix.engine.distillation import PRESETS
from mmtmix.engine.stages import plan_stages
from mmtmix.models.augments import augment_config
from mmtmix.recipes import (
    PAIRS,
    mixed_pipeline_of,
    mixed_set_of,
    pair_names,
    search_of,
    teacher_of,
)
from mmtmix.utils import default_work_dir, load_config

ROOT = Path(__file__).resolve().parents[1]
MINI = 'wrn16_wrn10_fashionmnist_mini'
IMAGENET = ['resnet34_resnet18', 'resnet34_resnet18_k3']
CIFAR = [pair for pair in PAIRS if pair not in (MINI, *IMAGENET)]
CLEAN = dict(student=None, kd='kd', crd='crd', crd_kd='crd_kd')
SOURCES = ('imgnet32', 'mixup', 'cutmix', 'supermix', 'transformmix')
MIXED = {f'{loss}_{source}': f'{loss}_mixed' for loss in ('ce', 'kd') for source in SOURCES}


def pairs_of(method):
    if method.endswith('imgnet32'):
        return CIFAR
    if method.endswith('transformmix'):
        return [MINI, *(pair for pair in CIFAR if pair.startswith('wrn40_2'))]
    return PAIRS


CELLS = [(method, pair) for method in {**CLEAN, **MIXED} for pair in pairs_of(method)]


def load(method, pair):
    """Load a method's config with a pair."""
    return load_config(f'configs/distill/{method}.py', variants=dict(PAIR=pair))


def product_of(cfg):
    if 'generation' in cfg:
        return 'dataset.json'
    return 'mixer.pth' if cfg.model.type == 'MixerSearch' else 'last.pth'


def test_the_pairs_are_those_of_the_tables():
    assert len(CIFAR) == 13
    assert {*IMAGENET, MINI} <= set(PAIRS)
    methods = {path.stem for path in ROOT.glob('configs/distill/*.py')}
    methods -= {'mixes_fashionmnist_mini'}  # of one bed, not of a pair
    assert {name for name in methods if not name.startswith('teacher_')} == {*CLEAN, *MIXED}


@pytest.mark.parametrize('pair', PAIRS)
def test_a_pairs_student_and_teacher_tell_its_data_sets_classes_apart(pair):
    cfg = load('kd', pair)
    named = cfg.custom_hooks[0].teacher
    teacher = load_config(named.config)
    assert named.config == PAIRS[pair].teacher
    assert cfg.data_preprocessor == teacher.data_preprocessor
    assert cfg.val_dataloader == teacher.val_dataloader
    for model in (cfg.model, teacher.model):
        assert model.head.num_classes == cfg.data_preprocessor.num_classes
        with DefaultScope.overwrite_default_scope(cfg.default_scope):
            MODELS.build(model)
    name = Path(named.config).stem.removeprefix('teacher_')
    assert pair.startswith(name.split('_cifar100')[0].split('_')[0])
    assert Path(PAIRS[pair].mixed_set).stem.startswith(f'generate_{name}')
    assert augment_config(load_config(PAIRS[pair].mixed_set)).teacher == named
    if pair in pair_names('searched'):
        assert load_config(PAIRS[pair].search).model.teacher == named


@pytest.mark.parametrize(('method', 'pair'), CELLS)
def test_a_method_has_its_hook_and_what_that_needs(method, pair):
    cfg = load(method, pair)
    runs = [] if method == 'student' else [teacher_of(pair)]
    if method.endswith('supermix'):
        runs.append(mixed_set_of(pair))
    if method.endswith('transformmix'):
        runs.append(search_of(pair))
    assert cfg.get('requires', []) == runs
    # what is required is planned, and writes its file where it is looked for
    *needed, own = plan_stages(f'configs/distill/{method}.py', cfg, dict(PAIR=pair))
    assert {run['config'] for run in runs} <= {stage.config for stage in needed}
    for stage in needed:
        folder, name = os.path.split(stage.produces)
        assert (folder, name) == (default_work_dir(stage.config), product_of(stage.cfg))
    assert dict(own.variants) == dict(PAIR=pair)
    if method == 'student':
        assert 'custom_hooks' not in cfg
        return
    (hook,) = cfg.custom_hooks
    teacher = dict(config=runs[0]['config'], checkpoint=runs[0]['produces'])
    assert (hook.type, hook.teacher) == ('DistillHook', teacher)
    assert hook.preset == {**CLEAN, **MIXED}[method]
    assert ('mixed' in hook) == PRESETS[hook.preset]['mixes']
    if not method.endswith('transformmix'):  # which would read its mixing module
        with DefaultScope.overwrite_default_scope(cfg.default_scope):
            HOOKS.build(hook)
    if method in MIXED:
        check_mixed_images(method, pair, hook)


def check_mixed_images(method, pair, hook):
    """Mixed images are those of the table's row."""
    if method.endswith(('mixup', 'cutmix')):
        kind = 'SampleMixup' if method.endswith('mixup') else 'SampleCutMix'
        assert hook.mixed == dict(augment=dict(type=kind, alpha=1e4))
    elif method.endswith('transformmix'):
        assert hook.mixed.augment.type == 'TransformMix'
        assert hook.mixed.augment.mixer == search_of(pair)['produces']
        assert hook.mixed.augment.teacher == hook.teacher
    else:
        dataset = hook.mixed.dataloader.dataset
        # batch size and workers are those of the clean loader
        assert set(hook.mixed.dataloader) == {'dataset'}
        assert dataset.pipeline == mixed_pipeline_of(pair)
        if method.endswith('supermix'):
            root = os.path.dirname(mixed_set_of(pair)['produces'])
            assert (dataset.type, dataset.data_root) == ('MixedImages', root)
        else:
            assert (dataset.type, dataset.with_label) == ('ImageNet32', False)


@pytest.mark.parametrize(
    ('method', 'pair', 'known'),
    [
        ('kd', 'wrn_of_nobody', 'wrn40_2_wrn16_2, wrn40_2_wrn40_1, resnet56_resnet20'),
        ('kd_imgnet32', 'resnet34_resnet18', 'wrn40_2_wrn16_2, wrn40_2_wrn40_1, resnet56'),
        ('ce_transformmix', 'vgg13_vgg8', 'wrn40_2_shufflenetv1, wrn40_2_wrn16_2, wrn40_2_w'),
    ],
)
def test_a_pair_that_a_method_is_not_for_is_refused_with_those_that_it_is_for(method, pair, known):
    with pytest.raises(ValueError, match=f'variant PAIR must be one of {known}.*; got {pair}'):
        load(method, pair)


def test_without_a_pair_it_is_the_first_of_the_table():
    for method, default in (('kd', CIFAR[0]), ('kd_transformmix', 'wrn40_2_shufflenetv1')):
        cfg = load_config(f'configs/distill/{method}.py')
        assert cfg.pair == default
        assert cfg.to_dict() == load(method, default).to_dict()
    assert CIFAR[0] == 'wrn40_2_wrn16_2'


def test_mmengine_alone_reads_the_default():
    cfg = Config.fromfile(str(ROOT / 'configs/distill/kd.py'), import_custom_modules=False)
    assert cfg.pair == 'wrn40_2_wrn16_2'
    # functions and tables of recipes are no part of a config
    assert 'PAIRS' not in cfg and 'distill' not in cfg
