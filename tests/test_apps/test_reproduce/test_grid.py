"""The jobs of a grid run several at a time, each once, whatever is killed."""

import os
import re
import signal
import threading
from pathlib import Path

import pytest

from mmtmix.apps.reproduce import Grid, ProcessWorkers, grid, plan_jobs
from mmtmix.utils import Stopped

pytestmark = pytest.mark.host

KD, MIXED, SIMPLE = 'mini/distill/*/kd', 'mini/classify/*/supermix', 'mini/classify/*/simple'


def run(tools, runs, slots=2, reported=None):
    """Run what is missing, and return whether all is done."""
    lines = [] if reported is None else reported
    plan = plan_jobs(runs, lines.append)
    workers = ProcessWorkers(slots)
    return Grid(plan.graph, workers, tools.folder, tools.root, report=lines.append).run()


@pytest.fixture(autouse=True)
def _often(monkeypatch):
    monkeypatch.setattr(grid, 'POLL_OTHERS', 0.1)
    monkeypatch.setattr(grid, 'POLL', 0.02)


def test_every_job_runs_once_after_what_it_needs(tools):
    runs = tools.runs(KD, MIXED, SIMPLE, seeds=2)
    reported = []
    assert run(tools, runs, 3, reported)
    made = tools.history('made')
    assert sorted(made) == sorted(tools.plan) and len(made) == 8
    teacher, mixed = 'work_dirs/simple/wrn16_fashionmnist_mini', 'work_dirs/supermix/generate'
    kds = [number for number, each in enumerate(made) if 'kd-' in each]
    (of_set,) = (number for number, each in enumerate(made) if each.startswith(mixed))
    assert made.index(teacher) < min(*kds, of_set)
    assert sum('started, log in runs/logs/' in line for line in reported) == 8
    assert sum(': done in 0:00:0' in line for line in reported) == 8
    heads = [re.match(r'\[(\d)/8\] ', line)[1] for line in reported if 'started' in line]
    assert heads == list('12345678')
    log = Path('runs/logs/work_dirs/simple/wrn16_fashionmnist_mini.log').read_text()
    assert re.match(r'=== mmtmix job started: {"host": .*train.py configs/simple/', log)
    assert '\nthreads 1\n' in log
    assert re.search(r'ended with status 0 after \d+\.\d s', log)
    reported.clear()
    assert run(tools, runs, 3, reported)
    assert [line.endswith(': done before') for line in reported] == [True] * 6
    assert len(tools.history('began')) == 8


def test_a_failure_prevents_only_what_needs_it_and_a_second_call_goes_on(tools):
    runs = tools.runs(MIXED, SIMPLE, KD)
    failing = tools.act('supermix/generate', 'fail')
    reported = []
    assert not run(tools, runs, 2, reported)
    assert len(tools.history('made')) == 3
    start = next(n for n, line in enumerate(reported) if line.endswith('jobs failed:'))
    summary = reported[start:]
    assert summary[0] == '1 of 5 jobs failed:'
    assert re.fullmatch(
        rf'    {failing}/dataset.json: exit status 1 after 0:00:\d\d: train.py: error: the loss '
        rf'is not finite \(log in runs/logs/{failing}.log\)',
        summary[1],
    )
    assert summary[2].startswith('1 jobs did not run')
    assert summary[3] == f'    {runs[0].folder} needs {failing}/dataset.json'
    assert run(tools, runs)
    assert sorted(tools.history('made')) == sorted(tools.plan)


MOMENTS = ['before its claim', 'in the middle', 'after its result']


@pytest.mark.parametrize('part', ['work_dirs/simple', 'kd-'])
def test_a_kill_at_any_moment_loses_nothing(tools, part):
    """Each attempt dies at another moment; in the end there is one result of each job."""
    runs = tools.runs(KD, SIMPLE)
    folder = tools.act(part, *(f'killed {moment}' for moment in MOMENTS))
    for moment in MOMENTS:
        reported = []
        assert not run(tools, runs, 2, reported), moment
        assert any('FAILED, killed by SIGKILL after' in line for line in reported)
    assert run(tools, runs)
    assert sorted(tools.history('made')) == sorted(tools.plan)
    assert all(each.state.value == 'done' for each in runs)
    assert len(tools.history('began')) == len(tools.plan) + 3
    assert folder in tools.history('made')


def test_two_launches_at_once_share_the_work(tools):
    runs = tools.runs(KD, MIXED, SIMPLE, seeds=2)
    tools.act('work_dirs/simple', seconds=0.5)
    outcomes, reported = [], []
    launches = [
        threading.Thread(target=lambda: outcomes.append(run(tools, runs, 2, reported)))
        for _ in range(2)
    ]
    for each in launches:
        each.start()
    for each in launches:
        each.join()
    assert outcomes == [True, True]
    assert sorted(tools.history('made')) == sorted(tools.plan)
    assert any('done by another launch' in line for line in reported)


def test_a_launch_takes_over_what_another_one_leaves(tools, wait_for):
    """The other launch's training dies; it took no slot meanwhile."""
    runs = tools.runs(KD, SIMPLE)
    folder = Path(tools.act('work_dirs/simple', 'wait'))
    reported, outcomes = [], []
    other = threading.Thread(target=run, args=(tools, runs[:1], 1))
    other.start()
    wait_for(folder / 'waits')
    pid = int((folder / 'waits').read_text())

    def end():
        wait_for(runs[1].folder / 'last.pth')  # done in the only slot
        os.kill(pid, signal.SIGKILL)

    thread = threading.Thread(target=end)
    thread.start()
    outcomes = run(tools, runs, 1, reported)
    other.join()
    thread.join()
    assert outcomes
    assert any(f'{folder}/last.pth: waiting for process {pid} on' in line for line in reported)
    assert sorted(tools.history('made')) == sorted(tools.plan)


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_the_jobs_save_and_the_same_command_goes_on(tools, number, wait_for):
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    runs = tools.runs(KD, SIMPLE, seeds=2)
    folders = [
        Path(tools.act(part, 'wait'))
        for part in ('work_dirs/simple', 'runs/simple/wrn16_fashionmnist_mini/seed0')
    ]

    def end():
        for folder in folders:
            wait_for(folder / 'waits')
        os.kill(os.getpid(), number)

    thread = threading.Thread(target=end)
    thread.start()
    reported = []
    with pytest.raises(Stopped) as stop:
        run(tools, runs, 2, reported)
    thread.join()
    signal.signal(signal.SIGINT, before)
    assert stop.value.signum == number
    assert [(each / 'saved').read_text() for each in folders] == [str(int(number))] * 2
    assert sum(f'stopped by {number.name} after' in line for line in reported) == 2
    assert len(tools.history('began')) == 2
    reported.clear()
    assert run(tools, runs, 2, reported)
    assert sum(': continued, log in' in line for line in reported) == 2
    assert sorted(tools.history('made')) == sorted(tools.plan)
