"""The grid of docs/evidence.md: what its variables choose, and that its methods compare."""

import re
from pathlib import Path

import pytest

from mmtmix.engine.stages import plan_stages
from mmtmix.reproduction import choose_cells, read_experiments, runs_of
from mmtmix.reproduction.runs import VARIABLES, environment
from mmtmix.utils import load_config

ROOT = Path(__file__).resolve().parents[1]
SIMPLE = 'configs/simple/grid_fashionmnist.py'
TEACHER = 'configs/simple/teacher_grid_fashionmnist.py'
SEARCH = 'configs/transformmix/search_grid_fashionmnist.py'
OFFLINE = 'configs/supermix/offline_grid_fashionmnist.py'
METHODS = sorted(
    path.relative_to(ROOT).as_posix() for path in ROOT.glob('configs/*/grid_fashionmnist.py')
)
# what a method may change
MIXING = ('augments', 'probs')


def read(config, **variables):
    with environment({name: str(value) for name, value in variables.items()}):
        return load_config(config)


def names_in(config, table):
    """The keys of a table of settings in a config's text."""
    text = Path(ROOT, config).read_text(encoding='utf-8')
    body = re.search(rf'^{table} = dict\(\n(.*?)^\)', text, re.MULTILINE | re.DOTALL).group(1)
    return re.findall(r'^    (\w+)=', body, re.MULTILINE)


@pytest.mark.parametrize('num_images', [1000, 5000, 20000])
@pytest.mark.parametrize('config', [*METHODS, OFFLINE])
def test_all_methods_take_the_same_steps_in_the_same_recipe(config, num_images):
    cfg, simple = (read(path, NUM_IMAGES=num_images) for path in (config, SIMPLE))
    loader = cfg.train_dataloader
    images = loader.sampler.get('epoch_size', num_images)
    assert cfg.train_cfg.max_epochs * (images // loader.batch_size) == 1560
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


@pytest.mark.parametrize('kappa', [2, 5])
@pytest.mark.parametrize('labels', ['mixed', 'winner', 'teacher'])
def test_an_offline_set_is_trained_on_beside_the_clean_images(kappa, labels):
    cfg = read(OFFLINE, KAPPA=kappa, LABELS=labels, NUM_IMAGES=5000)
    clean, mixed = cfg.train_dataloader.dataset.datasets
    assert (clean.indices, mixed.indices, mixed.labels) == (5000, 5000 * kappa, labels)
    has_scores = any(step.type == 'OneHotScore' for step in clean.pipeline)
    assert has_scores == (labels != 'winner')
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


@pytest.mark.parametrize(
    ('config', 'table', 'variable'),
    [(SEARCH, 'mixers', 'SEARCH'), (TEACHER, 'teachers', 'TEACHER')],
)
def test_settings_are_apart_from_each_other(config, table, variable):
    names = names_in(config, table)
    assert len(names) >= 5
    contents = {name: read(config, **{variable: name}) for name in names}
    assert len({cfg.work_dir for cfg in contents.values()}) == len(names)
    assert not any(table in cfg for cfg in contents.values())
    described = {repr({**cfg.to_dict(), 'work_dir': '', 'name': ''}) for cfg in contents.values()}
    assert len(described) == len(names)


def test_a_teacher_doesnt_depend_on_the_budget_of_its_students():
    first, second = (
        read(TEACHER, STEPS=steps, CLEAN=clean) for steps, clean in ((1560, 0), (6240, 20))
    )
    for name in ('train_cfg', 'param_scheduler', 'custom_hooks', 'model'):
        assert first[name] == second[name], name


def test_every_cell_names_configs_and_variables_that_are_there():
    cells = read_experiments(ROOT / 'configs/experiments_fashionmnist.yaml')
    for cell in choose_cells(cells, ['*']):
        assert set(cell.env) <= set(VARIABLES), cell.id
        for run in runs_of(cell)[:1]:
            with environment(run.env):
                stages = plan_stages(run.config, load_config(run.config))
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
