"""The simulated course of a grid, against exhaustive search and by hand."""

import itertools
import random

import pytest

from mmtmix.apps.reproduce import critical_path, lower_bound, simulate

DIAMOND = dict(teacher=(), alone=(), search=('teacher',), set=('teacher',), a=('search', 'set'))
SECONDS = dict(teacher=4.0, alone=6.0, search=3.0, set=5.0, a=2.0)


def best_makespan(requires, seconds, workers):
    """The shortest schedule of all, among those that start jobs at time 0 or when one ends.

    A schedule is a list of jobs in which each one starts as early as it can; one of the lists is
    optimal.
    """
    best = float('inf')
    for order in itertools.permutations(requires):
        free, ends = [0.0] * workers, {}
        for key in order:
            if any(other not in ends for other in requires[key]):
                break
            worker = min(range(workers), key=free.__getitem__)
            start = max([free[worker], *(ends[other] for other in requires[key])])
            ends[key] = free[worker] = start + seconds[key]
        else:
            best = min(best, max(ends.values()))
    return best


def draw_graph(seed, jobs=6):
    draw = random.Random(seed)
    names = [f'job{number}' for number in range(jobs)]
    requires = {
        name: tuple(other for other in names[:number] if draw.random() < 0.3)
        for number, name in enumerate(names)
    }
    return requires, {name: float(draw.randint(1, 9)) for name in names}


def test_a_course_by_hand():
    one = simulate(DIAMOND, SECONDS, 1)
    assert list(one.starts) == ['teacher', 'set', 'alone', 'search', 'a']
    assert one.makespan == 20
    assert one.utilisation == 1
    two = simulate(DIAMOND, SECONDS, 2)
    assert two.starts == dict(teacher=0, alone=0, set=4, search=6, a=9)
    assert two.makespan == 11
    assert two.utilisation == 20 / 22
    assert lower_bound(DIAMOND, SECONDS, 2) == 11
    assert lower_bound(DIAMOND, SECONDS, 1) == 20
    assert critical_path(DIAMOND, SECONDS) == ['teacher', 'set', 'a']


def test_expected_times_choose_the_order_and_real_ones_the_ends():
    in_order = simulate(DIAMOND, SECONDS, 1, expected=dict.fromkeys(DIAMOND, 0.0))
    assert list(in_order.starts) == list(DIAMOND)
    seconds = dict(short=1.0, long=5.0, other=4.0)
    jobs = dict.fromkeys(seconds, ())
    assert simulate(jobs, seconds, 2).makespan == 5
    assert simulate(jobs, seconds, 2, expected=dict.fromkeys(jobs, 0.0)).makespan == 5
    late = simulate(jobs, seconds, 2, expected=dict(short=3, other=2, long=1))
    assert late.makespan == 6  # the longest one starts last


def test_a_wide_job_waits_for_its_workers_and_is_not_overtaken():
    requires = dict(first=(), wide=('first',), other=(), small=())
    seconds = dict(first=2.0, wide=9.0, other=4.0, small=1.0)
    course = simulate(requires, seconds, 2, widths=dict(wide=2))
    assert course.starts == dict(first=0, other=0, wide=4, small=13)
    assert course.busy == 25
    assert lower_bound(requires, seconds, 2, dict(wide=2)) == 12.5


@pytest.mark.parametrize('seed', range(12))
@pytest.mark.parametrize('workers', [1, 2, 3])
def test_it_stays_within_grahams_bound_of_the_best_schedule(seed, workers):
    requires, seconds = draw_graph(seed)
    course = simulate(requires, seconds, workers)
    best = best_makespan(requires, seconds, workers)
    bound = lower_bound(requires, seconds, workers)
    assert bound <= best <= course.makespan <= (2 - 1 / workers) * best
    chain = critical_path(requires, seconds)
    assert sum(seconds[key] for key in chain) <= bound
    assert all(before in requires[after] for before, after in itertools.pairwise(chain))
    for key, others in requires.items():
        assert course.ends[key] == course.starts[key] + seconds[key]
        assert all(course.ends[other] <= course.starts[key] for other in others)
    for time in course.starts.values():
        running = sum(course.starts[key] <= time < course.ends[key] for key in requires)
        assert running <= workers


def test_no_worker_idles_while_a_job_is_ready():
    requires, seconds = draw_graph(3, jobs=40)
    course = simulate(requires, seconds, 4)
    for key, start in course.starts.items():
        ready = max((course.ends[other] for other in requires[key]), default=0.0)
        for time in {*course.starts.values(), *course.ends.values()}:
            if ready <= time < start:
                assert sum(course.starts[j] <= time < course.ends[j] for j in requires) == 4


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        (dict(workers=0), 'workers must be'),
        (dict(seconds=dict(SECONDS, set=-1.0)), 'seconds of set must be'),
        (dict(seconds=dict(teacher=1.0)), 'alone has none'),
        (dict(widths=dict(set=3)), 'at most the 2 workers, got 3'),
    ],
)
def test_faulty_numbers_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        simulate(**(dict(requires=DIAMOND, seconds=SECONDS, workers=2) | settings))


def test_no_jobs_take_no_time():
    course = simulate({}, {}, 3)
    assert (course.makespan, course.utilisation, lower_bound({}, {}, 3)) == (0, 1, 0)
    assert critical_path({}, {}) == []
