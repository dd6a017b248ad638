"""AccuracySummaryHook: last, best and median of what a run validated."""

from types import SimpleNamespace

import pytest
from mmengine.logging import MessageHub

from mmtmix.engine import AccuracySummaryHook

pytestmark = pytest.mark.host


@pytest.fixture
def validated():
    """Make a runner that has validated: its log lines and its scalars are kept."""

    def make(**metrics):
        hub = MessageHub.get_instance('a_run')
        for name, values in metrics.items():
            for value in values:
                hub.update_scalar(f'val/{name}', value)
        lines, scalars = [], {}
        return SimpleNamespace(
            message_hub=hub,
            epoch=12,
            lines=lines,
            scalars=scalars,
            logger=SimpleNamespace(info=lines.append),
            visualizer=SimpleNamespace(
                add_scalars=lambda values, step: scalars.update(values, step=step)
            ),
        )

    return make


def test_the_three_figures_are_those_of_the_history(validated):
    runner = validated(**{'accuracy/top1': [90.0, 10, 20, 30, 40, 50]})
    AccuracySummaryHook(window=4).after_train(runner)
    assert runner.scalars == {
        'summary/accuracy/top1_last': 50,
        'summary/accuracy/top1_best': 90,
        'summary/accuracy/top1_median': 35,
        'step': 12,
    }
    (line,) = runner.lines
    assert line == 'accuracy/top1: last 50.00, best 90.00, median of the last 4 validations 35.00'


def test_fewer_validations_than_the_window_are_all_counted(validated):
    runner = validated(**{'accuracy/top1': [1.0, 2, 9]})
    AccuracySummaryHook().after_train(runner)
    assert 'median of the last 3 validations 2.00' in runner.lines[0]


def test_only_accuracies_are_summed_up(validated):
    runner = validated(**{'mix/mixup/ce': [1.0], 'accuracy/top5': [7.0]})
    AccuracySummaryHook().after_train(runner)
    assert [line.split(':')[0] for line in runner.lines] == ['accuracy/top5']


def test_a_run_without_validation_has_no_summary(validated):
    runner = validated()
    AccuracySummaryHook().after_train(runner)
    assert runner.lines == [] and runner.scalars == {}


def test_a_window_of_nothing_is_refused():
    with pytest.raises(ValueError, match='window must be an integer >= 1, got 0; it counts'):
        AccuracySummaryHook(window=0)
