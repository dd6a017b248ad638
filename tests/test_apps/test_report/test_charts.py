"""Coordinates of charts, final figures and short names."""

import re

import pytest

from mmtmix.apps.report.charts import BOTTOM, LEFT, RIGHT, TOP, draw_chart
from mmtmix.apps.report.curves import run_charts
from mmtmix.apps.report.figures import final_figures
from mmtmix.apps.report.page import short_names
from mmtmix.visualization import Scalars

pytestmark = pytest.mark.host


def test_a_chart_spans_its_axes_and_keeps_its_gaps_small():
    chart = draw_chart('t', 'epoch', {'a': [(0, 0.0), (5, 5.0), (10, 10.0)]})
    assert chart.lines[0].path == f'M{LEFT},{BOTTOM} L{(LEFT + RIGHT) / 2:g},97 L{RIGHT},{TOP}'
    assert [tick.text for tick in chart.y_ticks] == ['0', '2', '4', '6', '8', '10']
    assert chart.text == 't over epochs: a from 0 to 10.'
    long = draw_chart('t', 'epoch', {'a': [(x, float(x)) for x in range(10_000)]})
    assert len(re.findall('L', long.lines[0].path)) < 400
    assert draw_chart('t', 'epoch', {'a': [(0, float('nan'))]}) is None
    assert draw_chart('t', 'epoch', {'a': [(3, 2.0)]}).lines[0].ends  # a single point is seen


def test_a_search_is_drawn_beside_other_mixes():
    teacher = dict(teacher_clean_acc=90.0, teacher_mixed_acc=80.0)
    train = [dict(loss=1.0, lr=0.1, theta_x_spread=1.0, **teacher, epoch=1, iter=5, step=5)]
    val = [{'mix/mixup/ce': 1.0, 'mix/cutmix/ce': 2.0, 'mix/a/shift': 0.1, 'step': 1}]
    charts = {chart.title: chart for chart in run_charts({'run': Scalars(train, val)})}
    quality = 'Cross-entropy on mixes'
    shift = 'Shift of the warps in validation'
    teacher = 'Accuracy of the teacher, %'
    assert list(charts) == ['Training loss', 'Learning rate', teacher, quality, shift]
    assert [line.name for line in charts[quality].lines] == ['cutmix', 'mixup']
    assert [line.name for line in charts[teacher].lines] == ['clean images', 'mixed images']
    assert charts[shift].lines[0].name == 'run'


def test_what_one_run_alone_has_is_not_drawn_over_others():
    def log(**more):
        return Scalars([dict(loss=1.0, **more, epoch=1, iter=5, step=5)], [])

    logs = {'a': log(grad_norm=2.0), 'b': log(), 'c': log(grad_norm=float('nan'))}
    assert [chart.title for chart in run_charts(logs)] == ['Training loss']
    assert [chart.title for chart in run_charts({'a': logs['a']})][1:] == ['Norm of the gradient']
    logs['c'] = log(grad_norm=1.0)
    both = run_charts(logs)[1]
    assert [line.name for line in both.lines] == ['a', 'c']


def test_final_figures_use_the_best_only_where_more_is_better():
    val = [{'accuracy/top1': float(a), 'mix/ce': 3.0 - a, 'step': a} for a in range(1, 13)]
    val.append({'summary/accuracy/top1_last': 0.0, 'accuracy/top1': float('nan'), 'step': 13})
    first, second = final_figures(val)
    assert first == ('accuracy/top1', 12.0, 12.0, 7.5, 12)
    assert second.best is None and second.last == -9.0


def test_short_names_differ():
    assert short_names(['w/a/cutmix']) == ['a/cutmix']
    assert short_names(['w/a/cutmix', 'w/a/mixup']) == ['cutmix', 'mixup']
    assert short_names(['w/a/seed0', 'w/b/seed0']) == ['a/seed0', 'b/seed0']
