"""Rows whose cells are compared with each other: their tables, data and panels."""

import json
from dataclasses import replace

import pytest
from scipy import stats

from mmtmix.apps.reproduce import (
    CellResult,
    describe,
    paired_difference,
    plot_tables,
    render,
)
from mmtmix.apps.reproduce.forest import draw_forest
from mmtmix.apps.reproduce.panels import draw_panels

pytestmark = pytest.mark.host


@pytest.fixture
def row(cell, record):
    """Make a row: ``row('small', simple=[80, 81], mixup=[82, 83])``, values by seed."""

    def make(name, **values):
        cells = [cell(f'a/1/{name}/{column}', against=('simple', 'cutmix')) for column in values]
        return [
            CellResult(one, [record(one, seed, value) for seed, value in enumerate(figures)])
            for one, figures in zip(cells, values.values(), strict=True)
        ]

    return make


def test_a_row_is_a_table_of_differences(row):
    results = row('small', simple=[80.0, 80.5, 81.0], mixup=[82.0, 82.5, 83.5], cutmix=[80.0, 81])
    assert render(results) == (
        '## a/1\n\n'
        '| small | top-1 (last) | seeds | difference to simple [95%] '
        '| difference to cutmix [95%] |\n'
        '| --- | --- | --- | --- | --- |\n'
        '| simple | 80.50 ± 0.50 | 3 | - | -0.25 [-3.43, +2.93] (2 pairs) |\n'
        '| mixup | 82.67 ± 0.76 | 3 | +2.17 **[+1.45, +2.88]**† '
        '| +1.75 [-1.43, +4.93] (2 pairs) |\n'
        '| cutmix | 80.50 ± 0.71 | 2 | +0.25 [-2.93, +3.43] | - |\n\n'
        '2 pairs of seeds (the fewest here) detect a difference of 3.73 points with 80 % power '
        '(paired t-test at 5 %, pooled SD 0.32). †: adjusted p < 0.05 among the differences to '
        'one reference (Benjamini-Hochberg).\n'
    )


def test_rows_share_a_heading_and_printed_figures_have_their_own_table(row, cell):
    other = CellResult(cell('a/1/papers/x', printed=(70.0,)))
    results = [*row('small', simple=[1.0], mixup=[2.0]), other, *row('large', simple=[], mixup=[])]
    text = render(results)
    assert text.count('##') == 1
    assert '| papers/x | 70 | not run | 0 | - | last |' in text
    assert '| mixup | 2.00 | 1 | +1.00 |' in text  # one seed has no interval
    assert '| large | top-1 (last) | seeds | difference to simple [95%] |\n' in text
    assert '| simple | not run | 0 | - |\n' in text
    assert '##' not in render(results, headings=False)


def test_what_was_left_out_is_told(row):
    (only,) = row('small', simple=[80.0])
    text = render([CellResult(only.cell, only.runs, {4: 'started'})])
    assert '| simple | 80.00 | 1 (seed 4 started) | - |\n' in text


def test_runs_of_different_precisions_are_not_paired(row):
    simple, mixup = row('small', simple=[80.0, 81.0, 82.0], mixup=[82.0, 83.0, 90.0])
    runs = [*mixup.runs[:2], replace(mixup.runs[2], precision='float32')]
    text = render([simple, replace(mixup, runs=runs)])
    assert '| simple | 81.00 ± 1.00 | 3 | - |\n' in text
    assert '3 (2 in bfloat16, 1 in float32) | +2.00 **[+2.00, +2.00]** (2 pairs) |' in text


def test_data_hold_the_differences(row):
    results = row('small', simple=[80.0, 81.0], mixup=[82.0, 83.5], cutmix=[80.0])
    simple, mixup, _ = json.loads(json.dumps(describe(results)))
    single = dict(mean=0.0, low=None, high=None, by_seed={'0': 0.0}, p=None, adjusted_p=None)
    assert simple['differences'] == {
        'accuracy/top1': {'cutmix': single},
        'accuracy/top5': {'cutmix': None},
    }
    found = paired_difference({0: 82.0, 1: 83.5}, {0: 80.0, 1: 81.0})
    p = stats.ttest_rel([82.0, 83.5], [80.0, 81.0]).pvalue
    tested = dict(low=found.low, high=found.high, by_seed={'0': 2.0, '1': 2.5})
    tested |= dict(p=pytest.approx(p), adjusted_p=pytest.approx(p))
    assert mixup['differences']['accuracy/top1'] == dict(
        simple=dict(mean=2.25, **tested),
        cutmix=dict(single, mean=2.0, by_seed={'0': 2.0}),
    )
    assert mixup['share_of_oracle'] == {'accuracy/top1': None, 'accuracy/top5': None}


def test_gains_are_shown_as_shares_of_an_oracles(row):
    results = row(
        'small', simple=[80.0, 80.2, 81.0], mixup=[82.0, 82.1, 83.4], oracle=[84.0, 84.4, 85.1]
    )
    results = [CellResult(replace(each.cell, oracle='oracle'), each.runs) for each in results]
    text = render(results)
    assert "| share of oracle's gain over simple [95%] |\n" in text
    lines = [line for line in text.splitlines() if line.startswith('| ')]
    assert [line.split(' | ')[-1] for line in lines[2:]] == ['- |', '51 % [35, 69] |', '- |']
    # without the oracle's cell there is no such column
    assert 'share of' not in render(results[:2])
    _, mixup, _ = describe(results)
    assert mixup['share_of_oracle']['accuracy/top1']['value'] == pytest.approx(6.3 / 12.3)


def test_rows_are_panels_of_differences_on_an_axis_of_methods(row):
    results = row('small', simple=[80.0, 81.0, 82.0], mixup=[82.0, 84.0, 86.0])
    results += row('large', simple=[90.0, 91.0], cutmix=[92.0, 92.0, 99.0])
    figure = draw_panels('a/1', results)
    small, large = figure.axes
    assert (small.get_title(), large.get_title()) == ('small', 'large')
    assert [label.get_text() for label in small.get_yticklabels()] == ['simple', 'mixup', 'cutmix']
    (mixup,) = [line for line in small.lines if line.get_marker() == 'o']
    assert list(mixup.get_xdata()) == [2.0, 3.0, 4.0]
    assert round(mixup.get_ydata()[0]) == 1
    (mean,) = [line for line in small.lines if line.get_label() == 'mean']
    assert list(mean.get_xdata()) == [3.0]
    (interval,) = [line for line in small.lines if line.get_label() == '95% interval']
    assert list(interval.get_xdata()) == pytest.approx([3 - 2.4841, 3 + 2.4841], abs=1e-3)
    # only seeds of both count, and two pairs are too few for an interval
    (cutmix,) = [line for line in large.lines if line.get_marker() == 'o']
    assert list(cutmix.get_xdata()) == [2.0, 1.0]
    assert '95% interval' not in [line.get_label() for line in large.lines]


def test_a_forest_has_a_mark_and_an_interval_per_method_and_row(row):
    results = row('small', simple=[80.0, 81.0, 82.0], mixup=[82.0, 83.1, 84.0])
    results += row('large', simple=[90.0, 91.0, 92.0], mixup=[90.0, 92.0, 92.5], cutmix=[94, 95])
    figure = draw_forest('a/1', results)
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ['mixup', 'cutmix']
    lines = [line for line in axes.lines if len(line.get_xdata())][1:]  # without that at zero
    marks = [line for line in lines if line.get_marker() != 'None']
    assert [list(mark.get_xdata()) for mark in marks] == [
        pytest.approx([6.1 / 3]),
        pytest.approx([0.5]),
        [4.0],
    ]
    assert [mark.get_marker() for mark in marks] == ['o', 's', 's']
    # filled where the adjusted p-value is below 0.05
    is_filled = [mark.get_markerfacecolor() != 'white' for mark in marks]
    assert is_filled == [True, False, False]  # two equal differences have no p-value
    intervals = [list(line.get_xdata()) for line in lines if line not in marks]
    found = paired_difference({0: 82.0, 1: 83.1, 2: 84.0}, {0: 80.0, 1: 81.0, 2: 82.0})
    assert intervals[0] == [found.low, found.high] and len(intervals) == 2  # not of two pairs
    heights = [mark.get_ydata()[0] for mark in marks]
    assert [round(height) for height in heights] == [0, 0, 1] and heights[0] < heights[1]
    with pytest.raises(ValueError, match="a/1/small is not compared with 'mixup'"):
        draw_forest('a/1', results, 'mixup')


def test_a_table_is_one_picture(row, tmp_path):
    results = row('small', simple=[80.0], mixup=[82.0]) + row('large', simple=[], mixup=[])
    (picture,) = plot_tables(results, tmp_path / 'plots', 'page_')
    assert picture == tmp_path / 'plots' / 'page_a_1.png'
    assert picture.stat().st_size > 5000
