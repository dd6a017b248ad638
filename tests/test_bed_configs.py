"""The bed of docs/evidence.md: what its variants choose, that its methods compare, and a run."""

import os
from pathlib import Path

import pytest

from mmtmix.apps.reproduce import read_experiments
from mmtmix.datasets.glyphs.settings import STYLES
from mmtmix.models import build_labels, build_saliency
from mmtmix.utils import default_work_dir, load_config, resolve_config

ROOT = Path(__file__).resolve().parents[1]
FOLDER = 'configs/glyphs'
METHODS = [f'{FOLDER}/{name}.py' for name in ('mixed', 'transformmix', 'distill', 'teacher')]
pytestmark = pytest.mark.host


def read(name, **variants):
    return load_config(f'{FOLDER}/{name}.py', variants=variants)


def augment_of(**variants):
    return read('mixed', **variants).model.train_cfg.augments


@pytest.mark.parametrize(('num_images', 'steps'), [(1000, 1200), (300, 600), (3000, 1200)])
@pytest.mark.parametrize('config', METHODS)
def test_all_methods_take_the_same_steps_in_the_same_recipe(config, num_images, steps):
    variants = dict(NUM_IMAGES=num_images, STEPS=steps)
    cfg, simple = (
        load_config(path, variants=variants) for path in (config, f'{FOLDER}/simple.py')
    )
    loader = cfg.train_dataloader
    assert loader == simple.train_dataloader and loader.drop_last
    assert cfg.train_cfg.max_epochs * (num_images // loader.batch_size) == steps
    for name in ('optim_wrapper', 'param_scheduler', 'val_dataloader'):
        assert cfg[name] == simple[name], name
    for model in (cfg.model, simple.model):
        model.pop('train_cfg', None)
    if 'teacher' in config:
        model = cfg.model.backbone
        assert (model.pop('stem_stride'), simple.model.backbone.pop('stem_stride')) == (1, 2)
    assert cfg.model == simple.model


def test_settings_are_chosen_on_other_images_than_the_test_s():
    train = STYLES['train']
    for split in ('val', 'test'):
        for shift, styles in (('same', [*train]), ('new', None)):
            dataset = read('simple', SPLIT=split, STYLES=shift).val_dataloader.dataset
            assert (dataset.split, dataset.styles) == (split, styles)
    for name, cell in read_experiments(resolve_config('configs/experiments_glyphs.yaml')).items():
        is_chosen = name.startswith('choose/')
        assert (cell.variants.get('SPLIT') == 'val') == is_chosen, name
        assert all((seed < 10) == is_chosen for seed in cell.seeds), name


@pytest.mark.parametrize(
    ('see', 'kinds'),
    [
        ('cam', ['TeacherCAM']),
        ('refined', ['RefinedSaliency', 'TeacherCAM']),
        ('true', ['TrueMasks']),
        ('other_refined', ['OtherImages', 'RefinedSaliency', 'TeacherCAM']),
        ('other_true', ['OtherImages', 'TrueMasks']),
        ('noise', ['NoiseSaliency']),
    ],
)
def test_saliency_is_what_its_name_says(see, kinds):
    for mix in ('paste', 'cammix'):
        cfg = read('mixed', MIX=mix, SEE=see, LABELS=see)
        augment = cfg.model.train_cfg.augments
        source = build_saliency(augment.saliency)
        assert [type(part).__name__ for part in source.parts] == kinds
        assert augment.labels == 'visible'  # of the maps that it mixes by
        assert bool(cfg.requires) == ('TeacherCAM' in kinds)


def test_labels_may_count_other_maps_than_the_mix():
    augment = augment_of(MIX='cutmix', LABELS='refined')
    rule = build_labels(augment.labels)
    assert [type(part).__name__ for part in rule.saliency.parts] == [
        'RefinedSaliency',
        'TeacherCAM',
    ]
    assert 'labels' not in augment_of(MIX='cutmix')
    assert augment_of(MIX='paste', SEE='cam', LABELS='true').labels.saliency == dict(
        type='TrueMasks'
    )


@pytest.mark.parametrize('objective', ['teacher', 'hard', 'diverse', 'visible'])
def test_searches_have_their_terms(objective):
    cfg = read('search', OBJECTIVE=objective)
    terms = {name for name in ('hard_for', 'diversity', 'labels') if name in cfg.model}
    assert terms == dict(hard={'hard_for'}, diverse={'diversity'}, visible={'labels'}).get(
        objective, set()
    )
    if objective == 'hard':
        kept = read('teacher').custom_hooks[1].epochs
        assert cfg.requires[1].produces.endswith(f'early_{kept[0]}.pth')


@pytest.mark.parametrize('see', ['true', 'other_true'])
def test_a_run_of_few_steps(see, tmp_path):
    from mmengine.runner import Runner

    cfg = read('mixed', MIX='paste', SEE=see, LABELS=see, SHARE=100, NUM_IMAGES=100, STEPS=4)
    cfg.train_cfg.max_epochs = cfg.train_cfg.val_interval = 1
    for name in ('val_dataloader', 'test_dataloader'):
        cfg[name].dataset.num_images = 50
    cfg.work_dir = str(tmp_path)
    runner = Runner.from_cfg(cfg)
    runner.train()
    assert runner.iter == 2


@pytest.mark.parametrize('mix', ['cammix', 'paste', 'transformmix'])
def test_students_get_the_files_that_stages_make(mix):
    cfg = read('transformmix') if mix == 'transformmix' else read('mixed', MIX=mix)
    text = repr(cfg.model.to_dict())
    assert cfg.requires and all(repr(stage['produces']) in text for stage in cfg.requires)
    distilled = read('distill', MIX=mix)
    text = repr([dict(hook) for hook in distilled.custom_hooks])
    assert all(repr(stage['produces']) in text for stage in distilled.requires)
    for stage in [*cfg.requires, *distilled.requires]:
        made = default_work_dir(stage['config'])
        assert os.path.dirname(stage['produces']) == made
