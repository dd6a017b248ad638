"""The bed of docs/evidence.md: what its variants choose, that its methods compare, and a run."""

import os
import re
from pathlib import Path

import pytest
from mmpretrain.registry import BATCH_AUGMENTS, MODELS

from mmtmix.apps.reproduce import read_experiments
from mmtmix.datasets.glyphs.settings import STYLES
from mmtmix.engine.distillation import PRESETS
from mmtmix.models import TransformMixer, build_labels, build_saliency
from mmtmix.recipes import read_base
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


@pytest.mark.parametrize('mix', ['none', 'cutmix', 'paste', 'transformmix'])
def test_a_step_of_distillation_on_mixes_has_twice_the_images(mix):
    (hook,) = (one for one in read('distill', MIX=mix).custom_hooks if one.type == 'DistillHook')
    # a preset that mixes trains on the clean batch and on a mixed one
    assert PRESETS[hook.preset]['mixes'] == ('mixed' in hook) == (mix != 'none')
    # the config and its page warn of the comparison
    head, page = (
        ' '.join((ROOT / FOLDER / name).read_text(encoding='utf-8').replace('\n# ', ' ').split())
        for name in ('distill.py', 'README.md')
    )
    assert 'twice the images of a step of `MIX=none`' in head
    assert 'twice the images of its `MIX=none`' in page


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


def test_labels_by_area_are_asked_for_where_they_are_no_default():
    assert 'labels' not in augment_of(MIX='cammix')  # recorded runs have it so
    assert augment_of(MIX='paste').labels == 'gt'


def test_masks_are_softened_and_keep_their_labels():
    for mix in ('cutmix', 'fmix'):
        sharp, soft = (augment_of(MIX=mix, LABELS='refined', SOFT=sigma) for sigma in (0, 2))
        assert soft == dict(type='SoftMasks', augment=sharp, sigma=2)
        built = BATCH_AUGMENTS.build(dict(soft, num_classes=50))
        assert built.labels == built.augment.labels


def test_puzzlemix_sees_the_network_in_training():
    cfg, simple = read('mixed', MIX='puzzlemix'), read('simple')
    assert cfg.model.train_cfg.augments == dict(type='PuzzleMix')
    assert cfg.custom_hooks == [*simple.custom_hooks, dict(type='LiveModelHook')]
    assert 'requires' not in cfg or not cfg.requires


@pytest.mark.parametrize(
    ('mix', 'variants', 'reader'),
    [
        ('cutmix', dict(SEE='true'), 'cammix or paste or paste_mixup'),
        ('mixup', dict(PLACE='own'), 'paste or paste_mixup'),
        ('cammix', dict(SHAPE='box'), 'paste or paste_mixup'),
        ('fmix', dict(OPACITY='drawn'), 'paste or paste_mixup'),
        ('resizemix', dict(SEE='true', PLACE='own'), 'cammix or paste or paste_mixup'),
        ('mixup', dict(SOFT=2), 'cutmix or fmix'),
    ],
)
def test_a_variant_that_the_mixer_does_not_read_is_refused(mix, variants, reader):
    name, value = next(iter(variants.items()))
    cure = f'{name}={value} has no effect with MIX={mix}; leave it out, or choose MIX={reader}'
    with pytest.raises(ValueError, match=re.escape(cure) + '$'):
        read('mixed', MIX=mix, **variants)


def test_labels_of_mixup_and_teachers_of_nothing_are_refused():
    with pytest.raises(ValueError, match='LABELS=cam has no effect with MIX=mixup'):
        read('mixed', MIX='mixup', LABELS='cam')
    with pytest.raises(ValueError, match='LABELS=attended has no effect with MIX=mixup'):
        read('mixed', MIX='mixup', LABELS='attended')
    with pytest.raises(ValueError, match='TEACHER=mixup has no effect'):
        read('mixed', MIX='paste', SEE='true', LABELS='true', TEACHER='mixup')
    cfg = read('mixed', MIX='paste', SEE='refined', TEACHER='mixup')
    assert cfg.requires[0].variants == dict(TEACHER='mixup')


def test_the_first_variant_that_is_not_read_is_refused_though_others_are():
    assert augment_of(MIX='cammix', SEE='true').saliency.type == 'TrueMasks'
    with pytest.raises(ValueError, match='variant PLACE=own has no effect with MIX=cammix'):
        read('mixed', MIX='cammix', SEE='true', PLACE='own')


@pytest.mark.parametrize(('mix', 'labels'), [('cutmix', 'attended'), ('mixup', 'similar')])
def test_labels_by_a_teacher_of_the_mix(mix, labels):
    cfg = read('mixed', MIX=mix, LABELS=labels)
    rule = cfg.model.train_cfg.augments.labels
    assert rule.type == f'{labels.capitalize()}Labels'
    assert rule.teacher.checkpoint == cfg.requires[0].produces


@pytest.mark.parametrize('mix', ['paste', 'paste_mixup'])
def test_pasting_follows_its_variants(mix):
    chosen = dict(SEE='true', PLACE='clear', SHAPE='box', OPACITY='drawn')
    for variants, expected in (
        ({}, dict(place='over', shape='mask', opacity='full')),
        (chosen, dict(place='clear', shape='box', opacity='drawn')),
    ):
        augment = augment_of(MIX=mix, **variants)
        paste = augment[0] if mix == 'paste_mixup' else augment
        assert {name: paste[name] for name in expected} == expected


@pytest.mark.parametrize(('share', 'expected'), [(50, 0.5), (100, 1.0)])
def test_a_share_of_the_batches_is_mixed(share, expected):
    for mix in ('cutmix', 'paste', 'paste_mixup'):
        train_cfg = read('mixed', MIX=mix, SHARE=share).model.train_cfg
        assert sum(train_cfg.probs) == pytest.approx(expected)
    # the last has both mixers, on one half of the mixed batches each
    assert [each.type for each in train_cfg.augments] == ['ObjectPaste', 'SampleMixup']
    assert train_cfg.probs[0] == train_cfg.probs[1]


TERMS = dict(
    teacher=set(),
    hard={'hard_for'},
    diverse={'diversity'},
    visible={'labels'},
    hard_diverse={'hard_for', 'diversity'},
)


@pytest.mark.parametrize('objective', TERMS)
@pytest.mark.parametrize(('num_images', 'steps'), [(1000, 1200), (300, 600)])
def test_searches_have_their_terms(objective, num_images, steps):
    variants = dict(NUM_IMAGES=num_images, STEPS=steps)
    cfg = read('search', OBJECTIVE=objective, **variants)
    terms = {name for name in ('hard_for', 'diversity', 'labels') if name in cfg.model}
    assert terms == TERMS[objective]
    if 'hard' in objective:
        # the teacher of the same variants writes the file that the search reads
        kept = read('teacher', **variants).custom_hooks[1].epochs
        early = cfg.requires[1]
        assert early.produces.endswith(f'early_{kept[0]}.pth')
        assert cfg.model.hard_for.teacher.checkpoint == early.produces
        assert dict(early.get('variants', {})) == ({} if steps == 1200 else variants)


def test_searched_modules_are_what_their_names_say():
    paper, ours, masks = (
        dict(read('search', SEARCH=name).model.mixer) for name in ('paper', 'ours', 'masks')
    )
    published = read_base('_base_/mixers/transformmix_paper.py')['model']['mixer']
    built, wanted = (MODELS.build(dict(each)).arch for each in (paper, published))
    assert built == wanted
    assert masks == ours | dict(transform='none')
    # ours are the defaults, with masks of the maps' size
    assert MODELS.build(dict(ours)).arch == TransformMixer(mask_size=None).arch
    for objective in ('diverse', 'hard_diverse'):
        with pytest.raises(ValueError, match=f'OBJECTIVE={objective} needs a noise z'):
            read('search', SEARCH='masks', OBJECTIVE=objective)


@pytest.mark.parametrize('styles', ['same', 'new'])
def test_a_search_validates_on_the_styles_that_settings_are_chosen_by(styles):
    search, chosen = (
        read(name, STYLES=styles, **split).val_dataloader.dataset
        for name, split in (('search', {}), ('simple', dict(SPLIT='val')))
    )
    assert (search.split, search.styles) == ('val', chosen.styles)


@pytest.mark.parametrize('labels', ['refined', 'true', 'other_refined'])
def test_labels_of_transformmix_may_count_other_maps(labels):
    augment = read('transformmix', LABELS=labels).model.train_cfg.augments
    rule = read('mixed', MIX='cutmix', LABELS=labels).model.train_cfg.augments.labels
    assert augment.labels == rule and rule.type == 'VisibleLabels'


def test_a_student_has_the_labels_that_its_module_learned():
    for variants, labels in (
        ({}, 'gt'),
        (dict(OBJECTIVE='hard'), 'gt'),
        (dict(OBJECTIVE='visible'), 'visible'),
        (dict(OBJECTIVE='visible', LABELS='gt'), 'gt'),
        (dict(LABELS='visible'), 'visible'),
    ):
        cfg = read('transformmix', **variants)
        assert cfg.model.train_cfg.augments.labels == labels
        searched = cfg.requires[1].get('variants', {})
        assert searched.get('OBJECTIVE') == variants.get('OBJECTIVE')
    for objective, labels in (('teacher', 'gt'), ('visible', 'visible')):
        hook = read('distill', MIX='transformmix', OBJECTIVE=objective).custom_hooks[1]
        assert hook.mixed.augment.get('labels', 'gt') == labels


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
