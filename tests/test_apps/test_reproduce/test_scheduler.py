"""Jobs start when what they need is done, the longest chains first."""

import itertools
import random

import pytest

from mmtmix.apps.reproduce import Scheduler, chain_seconds, expected_seconds

# a teacher, a search and a set on it, students of both, and one that needs nothing
REQUIRES = dict(
    teacher=(),
    search=('teacher',),
    set=('teacher',),
    a=('search',),
    b=('set',),
    c=('set', 'search'),
) | dict(alone=())
SECONDS = dict(teacher=4, search=3, set=5, a=1, b=2, c=2, alone=20)


def test_the_longest_chain_of_jobs_starts_first():
    assert chain_seconds(REQUIRES, SECONDS) == dict(
        teacher=11, search=5, set=7, a=1, b=2, c=2, alone=20
    )
    scheduler = Scheduler(REQUIRES, SECONDS)
    assert scheduler.ready() == ['alone', 'teacher']
    scheduler.start('teacher')
    assert scheduler.ready() == ['alone']
    scheduler.finish('teacher')
    assert scheduler.ready() == ['alone', 'set', 'search']
    for key in ('set', 'search'):
        scheduler.start(key)
    scheduler.finish('set')
    assert scheduler.ready() == ['alone', 'b']  # c needs the search, too


def test_a_failure_blocks_only_what_needs_it():
    scheduler = Scheduler(REQUIRES, SECONDS)
    for key in ('teacher', 'alone'):
        scheduler.start(key)
    scheduler.finish('teacher')
    for key in ('search', 'set'):
        scheduler.start(key)
    assert scheduler.fail('search') == ['a', 'c']
    assert scheduler.blocked == dict(a='search', c='search')
    scheduler.finish('set')
    assert scheduler.fail('alone') == []
    assert scheduler.ready() == ['b']
    scheduler.start('b')
    assert not scheduler.is_over
    scheduler.finish('b')
    assert scheduler.is_over
    assert scheduler.failed == {'search', 'alone'}


@pytest.mark.parametrize('seed', range(20))
def test_every_job_runs_once_and_after_what_it_needs(seed):
    draw = random.Random(seed)
    names = [f'job{number}' for number in range(30)]
    requires = {
        name: tuple(draw.sample(names[:number], min(number, draw.randint(0, 3))))
        for number, name in enumerate(names)
    }
    failing = set(draw.sample(names, 4))
    scheduler, started = Scheduler(requires), []
    while not scheduler.is_over:
        for key in scheduler.ready()[: draw.randint(1, 3)]:
            assert all(each in scheduler.done for each in requires[key])
            scheduler.start(key)
            started.append(key)
        key = draw.choice(sorted(scheduler.running))
        (scheduler.fail if key in failing else scheduler.finish)(key)
    reachable = set(names)
    for name in names:  # an independent account of what a failure prevents
        if any(each in failing or each not in reachable for each in requires[name]):
            reachable.discard(name)
    assert sorted(started) == sorted(reachable)
    assert scheduler.blocked.keys() == set(names) - reachable
    assert len(set(itertools.chain(scheduler.done, scheduler.failed))) == len(started)


def test_jobs_without_a_time_count_as_the_mean_of_the_others():
    assert expected_seconds('abc', dict(a=1.0, b=3, d=9)) == dict(a=1.0, b=3, c=2.0)
    assert expected_seconds('ab', {}) == dict(a=1.0, b=1.0)
    with pytest.raises(ValueError, match='seconds of a must be a finite number >= 0, got -1'):
        expected_seconds('ab', dict(a=-1))


def test_wrong_orders_are_refused():
    with pytest.raises(ValueError, match='job a comes before b, which it requires'):
        Scheduler(dict(a=('b',), b=()))
    scheduler = Scheduler(REQUIRES)
    with pytest.raises(ValueError, match='job search is not ready to start'):
        scheduler.start('search')
    scheduler.start('alone')
    with pytest.raises(ValueError, match='job alone is not ready to start'):
        scheduler.start('alone')
