"""Each figure that TransformMix's paper prints has its config."""

import os
import re

import pytest

from mmtmix.engine.stages import plan_stages
from mmtmix.utils import default_work_dir
from tests.test_experiments.reading import EXPERIMENTS, ROOT, head_of
from tests.test_experiments.transformmix import CELLS, RUNS, entry, load_cell


def test_every_printed_cell_is_there_and_no_other():
    assert {name for name in EXPERIMENTS if name.startswith('transformmix/')} == {
        f'transformmix/{row}' for row in CELLS
    }
    for row, cells in CELLS.items():
        experiment = EXPERIMENTS[f'transformmix/{row}']
        assert set(experiment) == {'checkpoint', 'cells'}
        assert experiment['checkpoint'] in ('last', 'best', 'median')
        assert set(experiment['cells']) == set(cells)


def test_cells_are_well_formed():
    for row, cells in CELLS.items():
        for cell in cells:
            found = entry(row, cell)
            assert set(found) <= {'printed', 'config', 'options', 'variants', 'quoted'}
            assert ('config' in found) != ('quoted' in found)
            assert (found['printed'] is None) == row.startswith('figure_7')
            if 'config' in found:
                assert (ROOT / found['config']).is_file(), found['config']
            else:
                assert row == '5/time'


def test_figures_that_are_easily_mistyped():
    assert entry('2/wrn28x10_cifar100', 'transformmix')['printed'] == [84.07, 96.97]
    assert entry('7/preactresnet18_tinyimagenet', 'transformmix_k3')['printed'] == [66.03, 85.16]
    assert entry('9/resnet18_tinyimagenet', 'automix')['printed'] == 67.33
    assert entry('8/wrn28x10_cifar100', 'transformmix_transfer')['printed'] == 84.02


def test_a_figure_printed_twice_is_one_run():
    for row, cells in CELLS.items():
        table, _, net = row.partition('/')
        if table in '468':
            for cell in set(cells) & {'simple', 'mixup', 'cutmix', 'transformmix'}:
                others = [
                    other for other in CELLS if other.endswith(f'/{net}') and cell in CELLS[other]
                ]
                assert len({entry(other, cell)['config'] for other in others}) == 1


@pytest.mark.parametrize(('row', 'cell'), RUNS)
def test_a_cell_has_a_plan(row, cell):
    cfg, config = load_cell(row, cell)
    *needed, own = plan_stages(config, cfg)
    assert own.config == config
    produced = [stage.produces for stage in needed]
    assert len(set(produced)) == len(produced)
    for stage in needed:
        folder, name = os.path.split(stage.produces)
        # where that config, run alone, would write
        assert folder == default_work_dir(stage.config, stage.variants)
        if 'generation' in stage.cfg:
            assert name == 'dataset.json'
        else:
            is_search = stage.cfg.model.type == 'MixerSearch'
            assert name == ('mixer.pth' if is_search else 'last.pth')
    for number, stage in enumerate((*needed, own)):
        for other in stage.cfg.get('requires', ()):
            assert other.produces in produced[:number]


@pytest.mark.parametrize(('row', 'cell'), RUNS)
def test_heads_name_table_and_figure(row, cell):
    found = entry(row, cell)
    head, table = head_of(found['config']), row.split('/')[0]
    if '/distill/' in found['config'] or '/supermix/' in found['config']:
        return  # other tables of another paper, too
    kind, number = ('Figures?', '7') if table == 'figure_7' else ('Tables?', table)
    named = re.search(rf'TransformMix {kind} ([\d, and]+)', head)
    assert named and number in re.findall(r'\d+', named[1])
    assert re.search(r'\d GPUs? x \d+', head)
    printed = found['printed']
    if isinstance(printed, list):
        assert re.search(r'{:.2f}( \+- [\d.]+)? / {:.2f}'.format(*printed), head)
    elif printed is not None:
        assert f'{printed:.2f}' in head
