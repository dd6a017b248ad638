"""tools/benchmark_mixers.py on tiny batches: what it times, counts and writes."""

import json
import re

import pytest
from mmengine.config import Config

from mmtmix.utils import is_faster_in_half

pytestmark = pytest.mark.host

BLIND = {'teacher forward', 'plain blend', 'Mixup', 'CutMix', 'ResizeMix', 'GridMix'}
BLIND |= {f"MMPretrain's {name}" for name in ('Mixup', 'CutMix', 'ResizeMix')}
BLIND |= {'SmoothMix', 'FMix', 'SaliencyMix', 'AttentiveMix', 'PuzzleMix', 'Co-Mixup'}
BLIND |= {f'PuzzleMix without saliency, {blocks} blocks' for blocks in (4, 8, 16)}
LEARNED = {'TransformMix', 'TransformMix k=3'}
SOLVED = {'SuperMix', 'SuperMix k=3'}
RIVALS = {'SuperMix without smooth projection', 'SuperMix by SGD'}
SMALL = ('--repeats', '1', '--device', 'cpu')


@pytest.fixture(scope='module')
def trained(tmp_path_factory, fitted_teacher, run_tool):
    """Rows and JSON of a run with a trained teacher on real images."""
    folder = tmp_path_factory.mktemp('benchmark')
    Config(fitted_teacher['config']).dump(folder / 'teacher.py')
    arguments = ('--checkpoint', fitted_teacher['checkpoint'], '--batch-size', '24')
    rows, _ = run_tool(
        'benchmark_mixers',
        folder,
        *('--config', 'teacher.py', *arguments, '--rival-iters', '3', '--json', 'figures.json'),
        *SMALL,
    )
    return rows, json.loads((folder / 'figures.json').read_text())


def test_a_trained_teacher_times_every_mixer_and_the_rivals(trained):
    rows, _ = trained
    assert rows.keys() >= BLIND | LEARNED | SOLVED | RIVALS
    unit = rows['teacher forward']
    assert unit.forwards == 1
    for name, row in rows.items():
        assert row.seconds > 0
        assert row.forwards == pytest.approx(row.seconds / unit.seconds)
        assert (row.finished is not None) == (row.iterations is not None) == ('Super' in name)


def test_the_rivals_mix_what_supermix_mixed_for_as_long_as_they_may(trained):
    rows, _ = trained
    for name in RIVALS:
        share = rows[name].finished
        assert rows[name].iterations <= 3
        assert 0 <= share <= 1
        for solver in (name, 'SuperMix'):
            until = rows[f'{solver}, until {100 * share:.1f} %']
            assert until.iterations <= 3
            assert until.finished >= share or solver != name
    assert 0 < rows['SuperMix'].iterations <= 50
    assert 0 < rows['SuperMix'].finished <= 1


def test_the_file_holds_the_table_and_how_it_was_measured(trained):
    rows, written = trained
    assert written['rows'].keys() == rows.keys()
    assert written['rows']['SuperMix']['forwards'] == rows['SuperMix'].forwards
    assert {'teacher', 'batch_size', 'precision', 'device', 'threads', 'torch'} <= written.keys()


def test_random_weights_time_what_does_not_depend_on_them(tmp_path, run_tool):
    arguments = ('--teacher', 'wrn16_1', '--batch-size', '4', '--image-size', '18', '--bfloat16')
    rows, printed = run_tool('benchmark_mixers', tmp_path, *arguments, *SMALL)
    assert rows.keys() == BLIND | LEARNED
    assert 'precision bfloat16' in printed
    assert ('--bfloat16: ' in printed) != is_faster_in_half('cpu')
    for name in rows:
        assert re.search(rf'^\| {re.escape(name)} (\| [\d.]+ ){{3}}\| - \| - \|', printed, re.M)
