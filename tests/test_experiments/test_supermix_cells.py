"""The list of SuperMix's experiments: every figure of the paper once."""

import math
from pathlib import Path

import pytest
import yaml

from mmtmix.apps.generate import read_settings
from mmtmix.engine.stages import plan_stages
from mmtmix.models.augments import augment_config
from mmtmix.recipes import PAIRS, mixes_of
from mmtmix.utils import load_config
from tests.test_experiments.reading import EXPERIMENTS, ROOT, head_of
from tests.test_experiments.supermix import CELLS, COLUMNS, FILES, NETS, config_of

# The tables' shapes, independently of the file under test
TABLE_2 = (
    'wrn40x2_wrn16x2',
    'wrn40x2_wrn40x1',
    'resnet56_resnet20',
    'resnet110_resnet20',
    'resnet110_resnet32',
    'resnet32x4_resnet8x4',
    'vgg13_vgg8',
)
TABLE_3 = (
    'vgg13_mobilenetv2',
    'resnet50_mobilenetv2',
    'resnet50_vgg8',
    'resnet32x4_shufflenetv1',
    'resnet32x4_shufflenetv2',
    'wrn40x2_shufflenetv1',
)
ALONE = ('teacher', 'student', 'kd', 'crd')
SOURCES = ('imgnet32', 'mixup', 'cutmix', 'supermix')
IMAGENET = ('mixup_k2', 'cutmix_k2', 'supermix_k2', 'supermix_k3')
TIMES = dict(imagenet_vgg16='s', imagenet_resnet34='s', cifar_vgg13='ms', cifar_wrn='ms')
SOLVERS = ('sgd', 'newton_no_sp', 'newton_sp')
SWEEPS = dict(
    augmentation_size=(50000, 100000, 200000, 500000, 1000000),
    k=(2, 3, 4),
    alpha=(0.1, 1, 3, 10),
    lambda_s=(0, 5, 10, 25, 30, 50, 100),
)


def expected_ids():
    for row, *_ in NETS.values():
        yield from (f'supermix/1/{row}/{cell}' for cell in (*COLUMNS, 'fast_autoaugment'))
    with_sources = [f'{loss}_{source}' for loss in ('ce', 'kd') for source in SOURCES]
    for table, rows in (('2', TABLE_2), ('3', TABLE_3)):
        for row in rows:
            yield from (f'supermix/{table}/{row}/{cell}' for cell in (*ALONE, *with_sources))
    for row, unit in TIMES.items():
        yield from (f'supermix/4/{row}/{name}_{of}' for name in SOLVERS for of in (unit, 'iters'))
    on_imagenet = [f'{loss}_{source}' for loss in ('ce', 'kd') for source in IMAGENET]
    for cell in (*ALONE, *on_imagenet):
        yield f'supermix/5/resnet34_resnet18/{cell}'
    for name, values in SWEEPS.items():
        yield from (f'supermix/figure_5/sweeps/{name}_{value}' for value in values)


ROWS = {name: row for name, row in EXPERIMENTS.items() if name.startswith('supermix/')}


def all_cells():
    for row, content in ROWS.items():
        for name, cell in content['cells'].items():
            yield f'{row}/{name}', cell


@pytest.mark.parametrize('config', FILES)
def test_heads_say_what_is_reproduced(config):
    net = Path(config).stem.removesuffix('_self').removesuffix('_supermix')
    net = net.removeprefix('generate_')
    row, name, data, *_ = NETS[net]
    head = head_of(config)
    assert f'SuperMix Table 1{"" if "generate" in config else f", {data}, {name}"}' in head
    assert 'Ours' in head
    cells = ROWS[f'supermix/1/{row}']['cells']
    methods = [Path(config).parent.name]
    if 'generate' in config:
        methods.append('supermix_randaugment')
    else:
        assert f'"{COLUMNS[methods[0]]}"' in head
        assert f'GPU{"" if data == "CIFAR-100" else "s"} x' in head
    for method in methods:
        printed = cells[method]['printed']
        both = ' / '.join(map(str, printed)) if isinstance(printed, list) else str(printed)
        assert f'{both} ' in head


def test_every_figure_of_the_paper_is_listed_once():
    found = [cell for cell, _ in all_cells()]
    assert len(found) == len(set(found)) == 40 + 84 + 72 + 24 + 12 + 19
    assert set(found) == set(expected_ids())


def test_cells_are_runs_of_existing_configs_or_quoted_with_a_reason():
    for name, cell in all_cells():
        assert 'printed' in cell
        assert (cell['printed'] is None) == name.startswith('supermix/figure_5/')
        if 'quoted' in cell:
            assert len(cell['quoted']) > 20
            assert set(cell) == {'printed', 'quoted'}
            continue
        assert set(cell) <= {'printed', 'config', 'variants', 'options'}
        assert (ROOT / cell['config']).is_file(), name
        if 'variants' in cell:
            assert cell['variants']['PAIR'] in PAIRS, name
    for row, content in ROWS.items():
        runs = any('config' in cell for cell in content['cells'].values())
        assert content.get('checkpoint') == ('last' if runs else None), row


def test_only_times_and_fast_auto_augment_are_quoted():
    quoted = {name for name, cell in all_cells() if 'quoted' in cell}
    assert all(
        name.startswith('supermix/4/') or name.endswith('/fast_autoaugment') for name in quoted
    )
    assert len(quoted) == 24 + 5


def test_table_1_names_each_config_once():
    named = [
        cell['config']
        for name, cell in all_cells()
        if name.startswith('supermix/1/') and 'config' in cell
    ]
    assert sorted(named) == sorted(config_of(*cell) for cell in CELLS)


def test_table_1_prints_what_the_paper_prints():
    """ImageNet's last row, top-1 / top-5, in the order of the paper's columns."""
    row = '78.5/94.2 80.0/95.0 80.6/95.3 80.4/95.3 79.6/94.8 79.9/94.9 80.8/95.4 81.3/95.6'
    columns = ['simple', 'autoaugment', 'fast_autoaugment', 'randaugment', 'mixup', 'cutmix']
    columns += ['supermix', 'supermix_randaugment']
    wanted = [[float(figure) for figure in pair.split('/')] for pair in row.split()]
    cells = ROWS['supermix/1/resnet200_imagenet']['cells']
    assert [cells[name]['printed'] for name in columns] == wanted


def test_distillation_is_told_by_method_and_pair():
    for name, cell in all_cells():
        _, table, row, method = name.split('/')
        if table not in '235':
            continue
        pair = row
        for of, ours in (('wrn40x', 'wrn40_'), ('wrn16x', 'wrn16_')):
            pair = pair.replace(of, ours)
        if method == 'teacher':
            assert cell['config'] == PAIRS[pair].teacher
            continue
        pair += '_k3' * method.endswith('_k3')
        method = method.removesuffix('_k2').removesuffix('_k3')
        assert cell['config'] == f'configs/distill/{method}.py'
        assert cell['variants'] == dict(PAIR=pair)


def test_figure_5s_points_differ_in_one_setting_each():
    sets = {}
    for name, cell in ROWS['supermix/figure_5/sweeps']['cells'].items():
        sweep, value = name.rsplit('_', 1)
        wanted = dict(augmentation_size=500000, k=2, alpha=3, lambda_s=25)
        wanted[sweep] = yaml.safe_load(value)
        if sweep == 'augmentation_size':
            wanted['alpha'] = 1  # of section 4.3's first study alone
        cfg = load_config(cell['config'], cell.get('options'), cell['variants'])
        (hook,) = cfg.custom_hooks
        dataset = hook.mixed.dataloader.dataset
        assert cfg.pair == 'wrn40_2_wrn16_2'
        _, needed = cfg.requires
        assert needed.config == 'configs/supermix/generate_wrn40_2_cifar100.py'
        assert needed.produces == f'{dataset.data_root}/dataset.json'
        if 'options' not in cell:
            assert wanted == dict(augmentation_size=500000, k=2, alpha=3, lambda_s=25)
            assert dataset.data_root == mixes_of(cfg.pair)['data_root']
            continue
        *_, stage, _ = plan_stages(cell['config'], cfg, cell['variants'])
        made, options = stage.cfg, stage.options
        assert stage.produces == needed.produces
        mixer = augment_config(made)
        assert sets.setdefault(dataset.data_root, options) == options
        assert mixer.num_mix == wanted['k']
        assert mixer.get('alpha', 3) == wanted['alpha']
        assert mixer.get('lambda_s', 25) == wanted['lambda_s']
        size = dataset.get('indices', read_settings(made)[0].num)
        assert size == wanted['augmentation_size'] <= read_settings(made)[0].num
        # of 5 epochs of the mixed set, at batch 128
        assert cfg.param_scheduler[0].end == 5 * math.ceil(size / 128)
        # nothing else is changed
        assert set(options) <= {
            'generation.num',
            'model.train_cfg.augments.num_mix',
            'model.train_cfg.augments.alpha',
            'model.train_cfg.augments.lambda_s',
        }
    assert len(sets) == 1 + 2 + 2 + 6
