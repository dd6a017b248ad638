"""configs/experiments_mixbench.yaml: OpenMixup's printed figures, and the recipes behind them."""

from functools import cache
from pathlib import Path

import pytest
import torch
from mmpretrain.registry import MODELS

from mmtmix.apps.reproduce import read_experiments
from mmtmix.engine.stages import plan_stages
from mmtmix.utils import load_config

ROOT = Path(__file__).resolve().parents[2]
CELLS = read_experiments(ROOT / 'configs/experiments_mixbench.yaml')
FOLDER = 'configs/mixbench'

# as OpenMixup prints them: method, alpha, ResNet-18 and ResNeXt-50 after 200 and after 800 epochs
CIFAR = """
Vanilla        -    76.42 78.04 79.37 81.09
MixUp          1    78.52 79.12 81.18 82.10
CutMix         0.2  79.45 78.17 81.52 78.32
ManifoldMix    2    79.18 80.35 81.59 82.88
SmoothMix      0.2  77.90 78.69 80.68 78.95
SaliencyMix    0.2  79.75 79.12 80.72 78.77
AttentiveMix+  2    79.62 78.91 81.69 80.54
FMix*          0.2  78.91 79.69 79.87 79.02
PuzzleMix      1    79.96 81.13 81.69 82.85
Co-Mixup       2    80.01 81.17 81.73 82.91
GridMix        0.2  78.23 78.72 81.11 78.90
ResizeMix*     1    79.56 80.01 79.56 80.35
AutoMix        2    80.12 82.04 82.84 83.64
SAMix*         2    81.21 82.30 83.81 84.42
"""
# after 400 epochs
TINY = """
Vanilla        -    61.68 65.04
MixUp          1    63.86 66.36
CutMix         1    65.53 66.47
ManifoldMix    0.2  64.15 67.30
SmoothMix      0.2  66.65 69.65
SaliencyMix    1    64.60 66.55
AttentiveMix+  2    64.85 67.42
FMix*          1    63.47 65.08
PuzzleMix      1    65.81 67.83
Co-Mixup       2    65.92 68.02
ResizeMix*     1    63.74 65.87
GridMix        0.2  65.14 66.53
AutoMix        2    67.33 70.72
SAMix*         2    68.89 72.18
"""
# DeiT-S and Swin-T after 200 epochs
VIT = """
Vanilla        -    65.81 78.41
MixUp          0.8  69.98 76.78
CutMix         2    74.12 80.64
DeiT           -    75.92 81.25
SmoothMix      0.2  67.54 66.69
SaliencyMix    0.2  69.78 80.40
AttentiveMix+  2    75.98 81.13
FMix*          1    70.41 80.72
GridMix        1    68.86 78.54
PuzzleMix      2    73.60 80.33
ResizeMix*     1    68.45 80.16
TransMix       -    76.17 -
AutoMix        2    76.24 82.67
SAMix*         2    77.94 -
"""
# of its authors' page, in the order of the rows; it has no DeiT-S
ADAUTOMIX = {
    'cifar100': [81.55, 82.32, 84.40, 84.22],
    'tiny_imagenet': [69.19, 72.89],
    'vit_cifar100': [None, 84.33],
}
NAMES = {'Vanilla': 'simple', 'ManifoldMix': 'manifold_mixup', 'Co-Mixup': 'comixup'}
TABLES = {
    'cifar100': (CIFAR, ['resnet18_200e', 'resnet18_800e', 'resnext50_200e', 'resnext50_800e']),
    'tiny_imagenet': (TINY, ['resnet18_400e', 'resnext50_400e']),
    'vit_cifar100': (VIT, ['deit_s_200e', 'swin_t_200e']),
}
# its sigma follows no alpha, there and here
WITHOUT_ALPHA = ('simple', 'smoothmix', 'deit')


@cache
def load(cell):
    """The config of a cell; not to be changed."""
    return load_config(ROOT / CELLS[cell].config, variants=CELLS[cell].variants)


def rows(table):
    """Cell's column, alpha and figures of each line."""
    for line in TABLES[table][0].strip().splitlines():
        name, alpha, *figures = line.split()
        yield NAMES.get(name, name.strip('*+').lower()), alpha, figures


@pytest.mark.parametrize('table', TABLES)
def test_every_printed_figure_is_there_once(table):
    printed = {
        f'mixbench/{table}/{row}/{column}': (float(figure),)
        for column, _, figures in rows(table)
        for row, figure in zip(TABLES[table][1], figures, strict=True)
        if figure != '-'
    }
    printed |= {
        f'mixbench/{table}/{row}/adautomix': (figure,)
        for row, figure in zip(TABLES[table][1], ADAUTOMIX[table], strict=True)
        if figure is not None
    }
    found = {
        name: cell.printed
        for name, cell in CELLS.items()
        if cell.table == f'mixbench/{table}' and cell.printed
    }
    assert found == printed
    assert {cell.checkpoint for cell in CELLS.values() if cell.table == f'mixbench/{table}'} == {
        'best' if table == 'vit_cifar100' else 'median'
    }


def test_every_row_has_ours_and_what_is_left_out_has_a_reason():
    for row in {cell.row for cell in CELLS.values()}:
        assert {f'{row}/transformmix', f'{row}/supermix'} <= CELLS.keys()
    quoted = {cell.column for cell in CELLS.values() if cell.quoted}
    assert quoted == {'attentivemix', 'gridmix', 'samix', 'transmix', 'automix', 'adautomix'}
    blocks = [cell for cell in CELLS.values() if cell.column in ('automix', 'adautomix')]
    assert all(bool(cell.quoted) == (cell.table == 'mixbench/vit_cifar100') for cell in blocks)


@pytest.mark.parametrize('table', TABLES)
def test_each_method_has_the_printed_alpha(table):
    row = f'mixbench/{table}/{TABLES[table][1][0]}'
    for column, alpha, _ in rows(table):
        cell = CELLS[f'{row}/{column}']
        if cell.quoted or column in WITHOUT_ALPHA:
            continue
        cfg = load(cell.id)
        mix = cfg.model.get('train_cfg', {}).get('augments', cfg.model)
        assert mix.alpha == float(alpha), cell.id
        # MMPretrain's and Co-Mixup draw in their own way
        assert mix.type in ('Mixup', 'CutMix', 'CoMixup') or mix.per_sample is False, cell.id


# the first of each table, which the test above reads too, and the other network
@pytest.mark.parametrize(
    'name',
    [
        *(f'mixbench/{table}/{rows[0]}' for table, (_, rows) in TABLES.items()),
        'mixbench/cifar100/resnext50_800e',
    ],
)
def test_a_row_trains_one_network_as_long_in_one_recipe(name):
    cells = [cell for cell in CELLS.values() if cell.row == name and cell.config]
    network, epochs = name.rpartition('/')[2].rsplit('_', 1)
    loaded = {cell.column: load(cell.id) for cell in cells}
    simple = loaded['simple']
    for column, cfg in loaded.items():
        assert cfg.train_cfg.max_epochs == int(epochs[:-1])
        assert cfg.train_dataloader == simple.train_dataloader
        assert cfg.model.backbone == simple.model.backbone
        # what cuts has more decay, by OpenMixup's note
        more = network == 'resnext50' and 'cifar100' in name
        cuts = column in ('cutmix', 'saliencymix', 'fmix', 'resizemix')
        if not network.endswith(('_s', '_t')):
            assert cfg.optim_wrapper.optimizer.weight_decay == (5e-4 if more and cuts else 1e-4)
    for column in ('transformmix', 'supermix'):
        cell = CELLS[f'{name}/{column}']
        stages = plan_stages(cell.config, loaded[column], cell.variants)
        assert len(stages) == (3 if column == 'transformmix' else 2)
        assert stages[0].cfg.model == simple.model  # the teacher is the row's own
        assert stages[0].cfg.train_cfg == simple.train_cfg


@pytest.mark.parametrize(
    ('network', 'millions', 'rate'), [('deit_s', 21.70, 1e-3), ('swin_t', 27.60, 5e-4)]
)
def test_transformers_are_the_stated_ones(network, millions, rate):
    cfg = load(f'mixbench/vit_cifar100/{network}_200e/simple')
    parts = {part: cfg.model[part] for part in ('backbone', 'neck', 'head')}
    model = MODELS.build(dict(parts, type='ImageClassifier', _scope_='mmpretrain'))
    assert round(sum(w.numel() for w in model.parameters()) / 1e6, 2) == millions
    warm, cosine = cfg.param_scheduler
    assert (warm.type, warm.start_factor, warm.end) == ('LinearLR', 1e-5, cosine.begin)
    assert (cosine.type, cosine.end, cosine.T_max) == ('CosineAnnealingLR', 200, 180)
    assert (cfg.optim_wrapper.optimizer.type, cfg.optim_wrapper.optimizer.lr) == ('AdamW', rate)
    assert cfg.optim_wrapper.clip_grad.max_norm == 5.0
    assert cfg.model.head.loss.label_smooth_val == 0.1


def test_adautomix_has_its_authors_settings():
    cfg = load('mixbench/cifar100/resnext50_800e/adautomix')
    assert (cfg.model.type, cfg.model.mix_block.in_channels) == ('AdAutoMixClassifier', 1024)
    assert (cfg.param_scheduler.eta_min, cfg.train_cfg.max_epochs) == (0.05, 800)
    tiny = load('mixbench/tiny_imagenet/resnet18_400e/adautomix')
    assert (tiny.model.beta, tiny.model.mix_block.in_channels) == (0.4, 256)
    assert tiny.param_scheduler.eta_min == 0


@pytest.mark.parametrize(
    ('config', 'variants'),
    [
        ('cifar100', dict(METHOD='resizemix', NETWORK='resnext50')),
        ('cifar100', dict(METHOD='automix')),
        ('cifar100', dict(METHOD='transformmix')),
        ('tiny_imagenet', dict(METHOD='automix', NETWORK='resnext50')),
        ('tiny_imagenet', dict(METHOD='manifold_mixup')),
        ('vit_cifar100', dict(METHOD='deit')),
        ('vit_cifar100', dict(METHOD='supermix')),
        ('vit_cifar100', dict(METHOD='puzzlemix', NETWORK='swin_t')),
    ],
    ids=lambda value: value if isinstance(value, str) else '-'.join(value.values()),
)
def test_methods_train(config, variants, small_runner):
    runner = small_runner(load_config(ROOT / FOLDER / f'{config}.py', variants=variants))
    runner.train()
    losses = runner.message_hub.get_scalar('train/loss').data[0]
    assert len(losses) == runner.iter == 2
    assert all(torch.isfinite(torch.tensor(losses)))
