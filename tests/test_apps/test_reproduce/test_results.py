"""What counts of a run, and what stands in the report."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from mmtmix.apps.reproduce import collect_results, describe, plot_tables, recorded_results, render

pytestmark = pytest.mark.host

HISTORY = [50.0, 90.0, *np.linspace(60, 78, 10)]


@pytest.mark.parametrize(
    ('checkpoint', 'expected'), [('last', 78.0), ('best', 90.0), ('median', 69.0)]
)
def test_the_accuracy_that_counts(cell, finish, tmp_path, checkpoint, expected):
    one = cell(checkpoint=checkpoint)
    finish(one, 0, HISTORY)
    result = collect_results(one, str(tmp_path))
    assert result.values('accuracy/top1') == [pytest.approx(expected)]
    assert result.values('accuracy/top5') == []


def test_mean_and_deviation_are_over_seeds(cell, finish, tmp_path):
    one = cell(printed=(80.0, 95.0))
    for seed, value in enumerate((79.0, 82.0, 85.0)):
        finish(one, seed, [10.0, value], [20.0, 96.0])
    result = collect_results(one, str(tmp_path))
    assert result.mean('accuracy/top1') == 82.0
    assert result.deviation('accuracy/top1') == 3.0
    assert '| row/column | 80 / 95 | 82.00 ± 3.00 / 96.00 ± 0.00 | 3 | +2.00 / +1.00 |' in (
        render([result])
    )


def test_a_run_of_another_config_doesnt_count(cell, finish, tmp_path):
    one = cell()
    finish(one, 0, [80.0])
    other = finish(one, 1, [0.0])
    (other.folder / 'run.json').write_text(json.dumps(dict(digest='another')))
    result = collect_results(one, str(tmp_path))
    assert [run.seed for run in result.runs] == [0]
    assert result.left_out == {1: 'made with another config'}
    assert result.deviation('accuracy/top1') is None


def test_what_was_not_run_says_so(cell, tmp_path):
    results = [
        collect_results(one, str(tmp_path))
        for one in (cell(printed=(80.0,)), cell('paper/1/row/time', config='', quoted='a time'))
    ]
    text = render(results)
    assert '| row/column | 80 | not run | 0 | - | last |' in text
    assert '| row/time | - | quoted only: a time | - | - | - |' in text
    assert plot_tables(results, tmp_path / 'plots') == []


def test_a_started_run_is_told(cell, finish, tmp_path):
    one = cell()
    (finish(one, 2, [80.0]).folder / 'last.pth').unlink()
    assert 'not run (seed 2 started)' in render([collect_results(one, str(tmp_path))])


def test_a_row_of_other_metrics_has_a_column_for_each(cell, finish, tmp_path):
    metrics = ('mix/ce', 'mix/shift')
    first, second = (cell(f'a/1/row/{name}', metrics=metrics) for name in ('first', 'second'))
    second = replace(second, options=dict(other=1))
    others = {'mix/ce': [2.5, 1.5], 'mix/shift': [0.0, 12.25]}
    for seed in range(2):
        finish(first, seed, [80.0, 90.0], others=others)
    results = [collect_results(one, str(tmp_path)) for one in (first, second)]
    assert results[0].runs[0].metrics == {'mix/ce': 1.5, 'mix/shift': 12.25}
    assert render(results) == (
        '## a/1\n\n'
        '| row (last) | mix/ce | mix/shift | seeds |\n'
        '| --- | --- | --- | --- |\n'
        '| first | 1.50 ± 0.00 | 12.25 ± 0.00 | 2 |\n'
        '| second | not run | not run | 0 |\n'
    )
    assert json.loads(json.dumps(describe(results)))[0]['mean'] == results[0].runs[0].metrics
    assert plot_tables(results, tmp_path / 'plots') == []


def test_a_run_without_a_metric_that_its_row_asks_for_is_left_out(cell, finish, tmp_path):
    one = cell(metrics=('mix/ce', 'mix/shfit'))
    finish(one, 0, [80.0], others={'mix/ce': [2.0], 'mix/shift': [1.0]})
    result = collect_results(one, str(tmp_path))
    assert not result.runs
    assert 'lacks mix/shfit;' in result.left_out[0]


def test_data_hold_every_run_with_its_setting(cell, finish, tmp_path):
    one = cell(printed=(80.0,))
    run = finish(one, 4, [81.0])
    (content,) = json.loads(json.dumps(describe([collect_results(one, str(tmp_path))])))
    assert content['mean'] == {'accuracy/top1': 81.0, 'accuracy/top5': None}
    assert content['runs'] == [
        dict(
            seed=4,
            metrics={'accuracy/top1': 81.0},
            digest=run.digest(),
            versions={'torch': '2'},
            device='cpu',
            started='2026-01-01T00:00:00+00:00',
            seconds=7.0,
            precision=None,
        )
    ]


def test_a_table_with_runs_is_drawn(cell, finish, tmp_path):
    one = cell(printed=(80.0,))
    finish(one, 0, [81.0])
    (picture,) = plot_tables([collect_results(one, str(tmp_path))], tmp_path / 'plots')
    assert picture.name == 'paper_1.png'
    assert picture.stat().st_size > 5000


@pytest.mark.parametrize(
    ('lines', 'said'),
    [
        ('', 'cannot be read .*no training log.*weights are not affected.*folder aside'),
        ('{"iter": 1, "step": 1, "epoch": 1}\n', 'lacks accuracy/top1.*trained without'),
        ('{"iter": 1, "st\n{"iter": 1}\n', 'is damaged in line 1'),
    ],
)
def test_a_log_that_tells_nothing_is_left_out_with_the_reason(cell, finish, tmp_path, lines, said):
    run = finish(cell(), 0, [80.0])
    (log,) = run.folder.glob('*/vis_data/scalars.json')
    log.write_text(lines)
    finish(cell(), 1, [80.0])
    result = collect_results(cell(), str(tmp_path))
    assert [run.seed for run in result.runs] == [1]
    assert re.search(said, result.left_out[0])


def test_seeds_that_a_row_did_not_fix_do_not_count(cell, finish, record, tmp_path):
    anything, fixed = cell(), cell(seeds=(1,))
    for seed in (0, 1):
        finish(anything, seed, [80.0 + seed])
    why = {0: 'not among those that count'}
    found = collect_results(fixed, str(tmp_path))
    assert ([run.seed for run in found.runs], found.left_out) == ([1], why)
    digest = found.runs[0].digest
    records = [replace(record(anything, seed, 80.0), digest=digest) for seed in (0, 1)]
    found = recorded_results(fixed, records)
    assert ([run.seed for run in found.runs], found.left_out) == ([1], why)
