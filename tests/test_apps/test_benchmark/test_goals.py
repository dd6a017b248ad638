"""Goals are computed from rows that exist, and judged by their bounds."""

from dataclasses import replace

import pytest

from mmtmix.apps.benchmark import GOALS, TOPICS, Goal, Row, judge
from mmtmix.apps.benchmark.bench import Bench
from mmtmix.apps.benchmark.presets import PRESETS

pytestmark = pytest.mark.host

FORWARD = 'teacher forward'
COST = Goal('cost', 'learned', 'TransformMix', 2.0, bottom=(FORWARD,), teacher='wrn16_1')
SHARE = Goal(
    'share', 'supermix', 'SuperMix', 86.0, field='finished', scale=100, at_least=True, trained=True
)


@pytest.fixture(scope='module')
def built():
    """Calls of each topic, on a small batch."""

    def build(topic):
        setting = topic.setting.changed(batch_size=4, image_size=32, teacher='wrn16_1')
        return topic.build(Bench(setting))

    return {name: build(topic) for name, topic in TOPICS.items()}


@pytest.mark.parametrize('goal', GOALS, ids=lambda goal: goal.name)
def test_the_rows_of_each_goal_are_measured_by_its_topic(built, goal):
    calls = built[goal.topic]
    assert goal.top in {*calls.timed, *calls.once, *calls.missing}
    if goal.top not in calls.missing:
        assert {*goal.bottom} <= {*calls.timed, *calls.once, *calls.missing}


def test_goals_are_met_in_a_setting_that_their_topic_or_a_preset_has():
    assert len({goal.name for goal in GOALS}) == len(GOALS)
    assert goals_of('table5') == {'TransformMix, Table 5', 'SuperMix, Table 5'}
    for goal in GOALS:
        setting = TOPICS[goal.topic].setting
        if goal.name not in goals_of('table5'):
            assert goal.teacher in ('', setting.teacher)
            assert goal.size in (None, (setting.batch_size, setting.image_size))
        assert not goal.trained or TOPICS[goal.topic].takes_config


def goals_of(preset):
    topics, setting = PRESETS[preset]
    return {
        goal.name
        for goal in GOALS
        if goal.topic in topics
        and goal.teacher == setting['teacher']
        and goal.size == (setting['batch_size'], setting['image_size'])
    }


@pytest.mark.parametrize(
    ('goal', 'figure', 'verdict'),
    [
        (COST, 2.5, 'missed'),
        (replace(COST, bound=2.5), 2.5, 'met'),
        (replace(COST, field='megabytes', bound=1.25), 1.2, 'met'),
        (replace(COST, bottom=(), scale=1e3, bound=100.0), 250.0, 'missed'),
        (replace(COST, bottom=(FORWARD, FORWARD)), 1.25, 'met'),
        (replace(COST, bottom=('absent', FORWARD), fastest=True), 2.5, 'missed'),
        (replace(COST, device='cpu'), 2.5, 'missed'),
        (replace(COST, size=(128, 32), bound=3.0), 2.5, 'met'),
        (SHARE, 87.5, 'met'),
        (replace(SHARE, bound=88.0), 87.5, 'missed'),
        (replace(SHARE, field='seconds', scale=1e6, per_image=True), 9375.0, 'met'),
    ],
)
def test_a_figure_is_compared_with_its_bound(report, goal, figure, verdict):
    found = judge(goal, report)
    assert found.figure == pytest.approx(figure)
    assert (found.verdict, found.reason) == (verdict, '')


@pytest.mark.parametrize(
    ('goal', 'reason'),
    [
        (replace(COST, topic='search'), 'topic search was not run'),
        (replace(COST, top='PuzzleMix'), 'PyMaxflow is not installed'),
        (replace(COST, top='Nothing'), "the row 'Nothing' was not measured"),
        (replace(COST, bottom=('absent',), fastest=True), 'no rival was measured'),
        (replace(COST, teacher='resnet50'), 'the teacher resnet50, and this is wrn16_1'),
        (replace(COST, size=(64, 224)), '64 images of 224 pixels, and these are 128 of 32'),
        (replace(COST, device='H100'), 'the goal is for an H100, and this is cpu'),
        (replace(COST, trained=True), 'it needs a trained teacher: give --config'),
    ],
)
def test_what_was_not_measured_has_a_reason(report, goal, reason):
    found = judge(goal, report)
    assert found.verdict == 'not measured here'
    assert reason in found.reason


def test_only_the_short_forms_wide_margin_fails(report):
    assert not judge(COST, report).is_beyond_margin  # without a margin
    assert not judge(replace(COST, margin=2.0), report).is_beyond_margin
    assert judge(replace(COST, margin=1.2), report).is_beyond_margin
    assert not judge(replace(SHARE, bound=90.0, margin=1.1), report).is_beyond_margin
    report.sections['supermix'].rows['SuperMix'] = Row(1.2, finished=0.5)
    assert judge(replace(SHARE, bound=90.0, margin=1.1), report).is_beyond_margin
