"""The distillation experiments: each method with each pair that it is for."""

import os
from pathlib import Path

import pytest
from mmengine.registry import DefaultScope
from mmpretrain.registry import HOOKS, MODELS

from mmtmix.engine.distillation import PRESETS
from mmtmix.engine.stages import plan_stages
from mmtmix.models.augments import augment_config
from mmtmix.utils import default_work_dir, load_config

ROOT = Path(__file__).resolve().parents[1]
PAIRS = sorted(path.stem for path in ROOT.glob('configs/distill/pairs/*.py'))
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


@pytest.fixture
def load(monkeypatch):
    """Load a method's config with a pair."""

    def load(method, pair):
        monkeypatch.setenv('PAIR', pair)
        return load_config(f'configs/distill/{method}.py')

    return load


def product_of(cfg):
    if 'generation' in cfg:
        return 'dataset.json'
    return 'mixer.pth' if cfg.model.type == 'MixerSearch' else 'last.pth'


def test_the_pairs_are_those_of_the_tables():
    assert len(CIFAR) == 13
    assert {*IMAGENET, MINI} <= set(PAIRS)
    methods = {path.stem for path in ROOT.glob('configs/distill/*.py')}
    assert {name for name in methods if not name.startswith('teacher_')} == {*CLEAN, *MIXED}


@pytest.mark.parametrize('pair', PAIRS)
def test_a_pairs_student_and_teacher_tell_its_data_sets_classes_apart(pair):
    cfg = load_config(f'configs/distill/pairs/{pair}.py')
    teacher = load_config(cfg.teacher.config)
    assert cfg.pair == pair
    assert cfg.data_preprocessor == teacher.data_preprocessor
    assert cfg.val_dataloader == teacher.val_dataloader
    for model in (cfg.model, teacher.model):
        assert model.head.num_classes == cfg.data_preprocessor.num_classes
        with DefaultScope.overwrite_default_scope(cfg.default_scope):
            MODELS.build(model)
    assert cfg.teacher_run == dict(config=cfg.teacher.config, produces=cfg.teacher.checkpoint)
    assert cfg.mixed_run.produces == f'{cfg.mixed_root}/dataset.json'
    name = Path(cfg.teacher.config).stem.removeprefix('teacher_')
    assert Path(cfg.mixed_run.config).stem.startswith(f'generate_{name}')
    assert augment_config(load_config(cfg.mixed_run.config)).teacher == cfg.teacher
    if 'mixer_run' in cfg:
        assert load_config(cfg.mixer_run.config).model.teacher == cfg.teacher


@pytest.mark.parametrize(('method', 'pair'), CELLS)
def test_a_method_has_its_hook_and_what_that_needs(method, pair, load):
    cfg = load(method, pair)
    assert cfg.work_dir == f'work_dirs/distill/{method}/{pair}'
    needed = [] if method == 'student' else [cfg.teacher_run]
    if method.endswith('supermix'):
        needed.append(cfg.mixed_run)
    if method.endswith('transformmix'):
        needed.append(cfg.mixer_run)
    assert cfg.get('requires', []) == needed
    if method == 'student':
        assert 'custom_hooks' not in cfg
        return
    (hook,) = cfg.custom_hooks
    assert (hook.type, hook.teacher) == ('DistillHook', cfg.teacher)
    assert hook.preset == {**CLEAN, **MIXED}[method]
    assert ('mixed' in hook) == PRESETS[hook.preset]['mixes']
    if not method.endswith('transformmix'):  # which would read its mixing module
        with DefaultScope.overwrite_default_scope(cfg.default_scope):
            HOOKS.build(hook)


@pytest.mark.parametrize('method', MIXED)
def test_mixed_images_are_those_of_the_row(method, load):
    for pair in pairs_of(method):
        cfg = load(method, pair)
        mixed = cfg.custom_hooks[0].mixed
        if method.endswith(('mixup', 'cutmix')):
            kind = 'SampleMixup' if method.endswith('mixup') else 'SampleCutMix'
            assert mixed == dict(augment=dict(type=kind, alpha=1e4))
        elif method.endswith('transformmix'):
            assert mixed.augment.type == 'TransformMix'
            assert mixed.augment.mixer == cfg.mixer_run.produces
            assert mixed.augment.teacher == cfg.teacher
        else:
            dataset = mixed.dataloader.dataset
            assert set(mixed.dataloader) == {'dataset'}  # batch size and workers of the clean one
            assert dataset.pipeline == cfg.mixed_pipeline
            if method.endswith('supermix'):
                assert (dataset.type, dataset.data_root) == ('MixedImages', cfg.mixed_root)
            else:
                assert (dataset.type, dataset.with_label) == ('ImageNet32', False)


@pytest.mark.parametrize(('method', 'pair'), CELLS)
def test_what_a_method_requires_can_be_planned(method, pair, load):
    config = f'configs/distill/{method}.py'
    *needed, own = plan_stages(config, load(method, pair))
    assert [stage.config for stage in needed] == [
        run.config for run in own.cfg.get('requires', [])
    ]
    for stage in needed:
        folder, name = os.path.split(stage.produces)
        assert folder == default_work_dir(stage.config)
        assert name == product_of(stage.cfg)


def test_an_unknown_pair_is_named(load):
    with pytest.raises(FileNotFoundError, match='pairs/wrn_of_nobody.py'):
        load('kd', 'wrn_of_nobody')


def test_without_a_pair_it_is_the_first_of_the_table(monkeypatch):
    monkeypatch.delenv('PAIR', raising=False)
    assert load_config('configs/distill/kd.py').pair == 'wrn40_2_wrn16_2'
    assert load_config('configs/distill/kd_transformmix.py').pair == 'wrn40_2_shufflenetv1'
