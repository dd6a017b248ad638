"""The grid of docs/evidence.md: what its variants choose, and that its methods compare."""

import re
from pathlib import Path

import numpy as np
import pytest
from mmpretrain.registry import TRANSFORMS

from mmtmix.apps.reproduce import read_experiments
from mmtmix.datasets import FashionMNISTIdx
from mmtmix.engine.digest import run_digest
from mmtmix.engine.stages import plan_stages
from mmtmix.models import TransformMixer
from mmtmix.utils import default_work_dir, load_config
from mmtmix.utils.config import declared_variants

ROOT = Path(__file__).resolve().parents[1]
SIMPLE = 'configs/simple/grid_fashionmnist.py'
TEACHER = 'configs/simple/teacher_grid_fashionmnist.py'
TRANSFORMMIX = 'configs/transformmix/grid_fashionmnist.py'
SEARCH = 'configs/transformmix/search_grid_fashionmnist.py'
OFFLINE = 'configs/supermix/offline_grid_fashionmnist.py'
METHODS = sorted(
    path.relative_to(ROOT).as_posix() for path in ROOT.glob('configs/*/grid_fashionmnist*.py')
)
PAPER = load_config(ROOT / 'configs/_base_/mixers/transformmix_paper.py').model.mixer
# what a method may change
MIXING = ('augments', 'probs')


def read(config, **variants):
    return load_config(config, variants=variants)


def names_in(config, table):
    """The keys of a table of settings in a config's text."""
    text = Path(ROOT, config).read_text(encoding='utf-8')
    body = re.search(rf'^{table} = dict\(\n(.*?)^\)', text, re.MULTILINE | re.DOTALL).group(1)
    return re.findall(r'^    (\w+)=', body, re.MULTILINE)


@pytest.mark.parametrize(
    ('num_images', 'steps'), [(1000, 1560), (5000, 1560), (5000, 3120), (20000, 3120)]
)
@pytest.mark.parametrize('config', [*METHODS, OFFLINE])
def test_all_methods_take_the_same_steps_in_the_same_recipe(config, num_images, steps):
    cfg, simple = (read(path, NUM_IMAGES=num_images, STEPS=steps) for path in (config, SIMPLE))
    loader = cfg.train_dataloader
    images = loader.sampler.get('epoch_size', num_images)
    assert cfg.train_cfg.max_epochs * (images // loader.batch_size) == steps
    for name in ('optim_wrapper', 'param_scheduler', 'val_dataloader', 'custom_hooks'):
        assert cfg[name] == simple[name], name
    if config != OFFLINE:
        assert loader == simple.train_dataloader
    for model in (cfg.model, simple.model):
        model.pop('train_cfg', None)
    assert cfg.model == simple.model


def test_settings_are_chosen_on_images_that_are_neither_trained_on_nor_tested():
    chosen = read(SIMPLE, SPLIT='validation', NUM_IMAGES=20000)
    assert (chosen.val_dataloader.dataset.split, chosen.val_dataloader.dataset.indices) == (
        *('train', -10000),
    )
    assert chosen.train_dataloader.dataset.indices == 20000  # of 60,000
    final = read(SIMPLE)
    assert final.val_dataloader.dataset.split == 'test'
    assert 'indices' not in final.val_dataloader.dataset
    search = read(SEARCH, NUM_IMAGES=20000).val_dataloader.dataset
    assert (search.split, search.indices) == ('train', -2000)


@pytest.mark.parametrize('config', [SIMPLE, SEARCH, OFFLINE])
def test_scattered_images_are_placed_once_and_first(config):
    cfg = read(config, DATASET='scattered')
    sets = [cfg.train_dataloader.dataset, cfg.val_dataloader.dataset]
    if config == OFFLINE:
        clean, mixed = sets.pop(0).datasets  # the mixed ones are of placed ones
        assert 'PlaceOnCanvas' not in [step.type for step in mixed.pipeline]
        sets.append(clean)
    for dataset in sets:
        types = [step.type for step in dataset.pipeline]
        assert types.index('PlaceOnCanvas') == 0 and types.count('PlaceOnCanvas') == 1


def test_scattered_images_have_the_stated_mean_and_deviation():
    cfg = read(SIMPLE, DATASET='scattered')
    place = TRANSFORMS.build(cfg.train_pipeline[0])
    images = FashionMNISTIdx(split='train', pipeline=[])  # the bundled ones
    placed = np.stack([place(dict(images[number]))['img'] for number in range(len(images))])
    assert [placed.mean()] == pytest.approx(cfg.data_preprocessor.mean, abs=0.5)
    assert [placed.std()] == pytest.approx(cfg.data_preprocessor.std, abs=1.0)


@pytest.mark.parametrize(('search', 'module'), [('paper', PAPER), ('noisy_mask16', {})])
def test_the_module_is_the_published_one_or_the_librarys(search, module):
    found, wanted = (
        TransformMixer(**{name: value for name, value in settings.items() if name != 'type'})
        for settings in (read(SEARCH, SEARCH=search).model.mixer, dict(module, cam_size=28))
    )
    assert found.arch == wanted.arch


def test_a_module_may_be_searched_on_other_images():
    cfg = read(TRANSFORMMIX, DATASET='digits', SEARCH='paper', SEARCH_DATASET='fashionmnist')
    teacher, search = plan_stages(TRANSFORMMIX, cfg)[0], cfg.requires[1]
    assert search.variants == dict(SEARCH='paper')  # its default is Fashion-MNIST
    assert teacher.variants == dict(DATASET='digits')
    augment = cfg.model.train_cfg.augments
    assert augment.mixer == search.produces
    assert augment.teacher.variants == dict(DATASET='digits')
    assert read(TRANSFORMMIX, DATASET='digits').requires[1].variants == dict(DATASET='digits')


def test_cells_with_a_module_from_elsewhere_share_its_search():
    cells = read_experiments(ROOT / 'configs/experiments_fashionmnist.yaml')
    transferred = [cell for cell in cells.values() if 'SEARCH_DATASET' in cell.variants]
    assert len(transferred) == 2
    for cell in transferred:
        own = dict(DATASET=cell.variants['SEARCH_DATASET'], SEARCH=cell.variants['SEARCH'])
        there = read(TRANSFORMMIX, **own).requires[1]
        assert read(TRANSFORMMIX, **cell.variants).requires[1] == there


@pytest.mark.parametrize('kappa', [2, 5])
@pytest.mark.parametrize('labels', ['mixed', 'hard_teacher', 'soft_teacher'])
def test_an_offline_set_is_trained_on_beside_the_clean_images(kappa, labels):
    cfg = read(OFFLINE, KAPPA=kappa, LABELS=labels, NUM_IMAGES=5000)
    clean, mixed = cfg.train_dataloader.dataset.datasets
    assert (clean.indices, mixed.indices, mixed.labels) == (5000, 5000 * kappa, labels)
    has_scores = any(step.type == 'OneHotScore' for step in clean.pipeline)
    assert has_scores == (labels != 'hard_teacher')
    (needed,) = cfg.requires
    assert read(needed.config, NUM_IMAGES=5000).generation.num == 25000


@pytest.mark.parametrize(('clean', 'first'), [(0, None), (20, 85), (50, 53)])
def test_the_last_epochs_can_be_clean(clean, first):
    hooks = {hook.type: hook for hook in read(SIMPLE, CLEAN=clean).custom_hooks}
    assert set(hooks) == {'ChannelsLastHook'} | ({'SwitchRecipeHook'} if clean else set())
    if clean:
        (action,) = hooks['SwitchRecipeHook'].schedule
        assert action.action_epoch == first  # of 104, counted from 1
        assert action.batch_augments.probs == [0.0]


@pytest.mark.parametrize(('warm_up', 'first'), [(20, 21), (50, 53)])
def test_the_first_epochs_can_be_clean(warm_up, first):
    cfg = read(TRANSFORMMIX, WARM_UP=warm_up, CLEAN=20)
    _, hook, clean_end = cfg.custom_hooks  # the later one has the last word as a run resumes
    assert [action.action_epoch for action in clean_end.schedule] == [85]
    start, after = hook.schedule
    assert (start.action_epoch, start.batch_augments.probs) == (1, [0.0])
    assert (after.action_epoch, after.batch_augments.probs) == (first, [0.5])
    assert after.batch_augments.augments == cfg.model.train_cfg.augments
    assert len(read(TRANSFORMMIX).custom_hooks) == 1
    with pytest.raises(ValueError, match='WARM_UP is 20, but'):
        read(TRANSFORMMIX.replace('.py', '_cutmix.py'), WARM_UP=20)


@pytest.mark.parametrize(
    ('config', 'table', 'variable'),
    [(SEARCH, 'mixers', 'SEARCH'), (TEACHER, 'teachers', 'TEACHER')],
)
def test_settings_are_apart_from_each_other(config, table, variable):
    names = names_in(config, table)
    assert len(names) >= 5
    contents = {name: read(config, **{variable: name}) for name in names}
    assert len({default_work_dir(config, {variable: name}) for name in names}) == len(names)
    digests = {run_digest(plan_stages(config, cfg)) for cfg in contents.values()}
    assert len(digests) == len(names)


def test_a_teacher_doesnt_depend_on_the_budget_of_its_students():
    first, second = (
        read(TEACHER, STEPS=steps, CLEAN=clean) for steps, clean in ((1560, 0), (6240, 20))
    )
    for name in ('train_cfg', 'param_scheduler', 'custom_hooks', 'model'):
        assert first[name] == second[name], name


def test_every_cell_names_configs_and_variants_that_are_there():
    cells = read_experiments(ROOT / 'configs/experiments_fashionmnist.yaml')
    declared = {config: declared_variants(config) for config in {c.config for c in cells.values()}}
    planned = {}
    for cell in cells.values():
        for name, value in cell.variants.items():
            known = declared[cell.config][name]
            assert known.kind or value in map(str, known.values), (cell.id, name)
        # reading each would take a minute
        planned[cell.config] = cell.variants
    for config, variants in planned.items():
        stages = plan_stages(config, read(config, **variants), variants)
        # what a stage writes is named by all that it depends on
        assert len({stage.produces for stage in stages}) == len(stages)


def test_every_table_is_on_the_page():
    page = Path(ROOT, 'docs/evidence.md').read_text(encoding='utf-8')
    shown = ' '.join(re.findall(r'<!-- results: (.*?) -->', page)).split()
    cells = read_experiments(ROOT / 'configs/experiments_fashionmnist.yaml')
    assert {cell.table for cell in cells.values()} == set(shown)


def test_pictures_of_the_page_are_there():
    page = ROOT / 'docs/evidence.md'
    pictures = re.findall(r'!\[[^]]*\]\((.*?)\)', page.read_text(encoding='utf-8'))
    assert pictures
    assert all((page.parent / picture).is_file() for picture in pictures)


def test_a_search_without_a_transformer_has_no_noise_to_follow():
    with pytest.raises(ValueError, match='diverse needs a noise z, and SEARCH=noisy_mask_only'):
        read(SEARCH, SEARCH='noisy_mask_only', OBJECTIVE='diverse')


@pytest.mark.parametrize('objective', ['hard', 'unlikely', 'hard_diverse', 'visible'])
def test_an_objective_changes_the_search_alone(objective):
    plain, cfg = read(SEARCH), read(SEARCH, OBJECTIVE=objective)
    model = dict(cfg.model)
    hard_for = model.pop('hard_for', None)
    model.pop('diversity', None)
    assert model.pop('labels', 'gt') == ('visible' if objective == 'visible' else 'gt')
    assert model == dict(plain.model)
    assert (hard_for is not None) == (objective != 'visible')
    if hard_for is not None:
        late, early = cfg.requires
        assert early['config'] == late['config'] and early.get('variants') == late.get('variants')
        assert hard_for['teacher']['checkpoint'] == early['produces']
        assert early['produces'].endswith('early_2.pth')
        # both are files of one run, which writes them
        teacher = read(TEACHER)
        (hook,) = [one for one in teacher.custom_hooks if one['type'] == 'EarlyCheckpointHook']
        assert hook['epochs'] == [2]


def visible(**variants):
    return load_config('configs/visible/grid_fashionmnist.py', variants=variants)


@pytest.mark.parametrize('mix', ['cutmix', 'fmix', 'resizemix'])
def test_labels_of_one_mixer_differ_in_nothing_else(mix):
    plain, *others = (
        visible(MIX=mix, LABELS=labels) for labels in ('gt', 'cam', 'refined', 'other_refined')
    )
    assert not plain.requires and 'labels' not in plain.model.train_cfg.augments
    for cfg in others:
        assert len(cfg.requires) == 1
        assert cfg.model.train_cfg.augments.pop('labels').type == 'VisibleLabels'
        assert cfg.model == plain.model and cfg.train_dataloader == plain.train_dataloader


def test_labels_by_the_teacher_s_probabilities():
    for mix in ('cutmix', 'mixup'):
        cfg = visible(MIX=mix, LABELS='sources')
        rule = cfg.model.train_cfg.augments['labels']
        assert (rule.type, rule.kind) == ('TeacherLabels', 'sources')
        assert rule.teacher.checkpoint == cfg.requires[0].produces


def test_labels_of_mixup_cannot_follow_maps():
    assert visible(MIX='mixup').model.train_cfg.augments == dict(type='SampleMixup')
    with pytest.raises(ValueError, match='LABELS=cam has no effect with MIX=mixup'):
        visible(MIX='mixup', LABELS='cam')


def test_pasted_objects_and_their_placebo():
    own, placebo = (
        visible(MIX='paste', **chosen) for chosen in ({}, dict(LABELS='other_refined'))
    )
    augments = [cfg.model.train_cfg.augments for cfg in (own, placebo)]
    assert augments[1].saliency == dict(type='OtherImages', source=augments[0].saliency)
    assert all(augment.labels == 'visible' for augment in augments)
    with pytest.raises(ValueError, match='LABELS must be refined or other_refined with MIX=paste'):
        visible(MIX='paste', LABELS='gt')
