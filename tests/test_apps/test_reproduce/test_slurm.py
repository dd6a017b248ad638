"""Grids on Slurm, with stand-ins for its commands: arrays, dependencies, requeueing."""

import json
import signal
import threading
from pathlib import Path

import pytest

from mmtmix.apps.reproduce.plan import plan_jobs
from mmtmix.apps.reproduce.slurm import SlurmGrid, SlurmOptions
from mmtmix.apps.reproduce.submissions import read_queue, read_submissions

pytest.importorskip('submitit')
pytestmark = pytest.mark.host

KD, MIXED, SIMPLE = 'mini/distill/*/kd', 'mini/classify/*/supermix', 'mini/classify/*/simple'
OPTIONS = dict(partition='gpu', minutes=60, parallelism=2, others={'account': 'lab'})


def submit(tools, runs, **options):
    """Submit what is missing, and return what was reported."""
    reported = []
    options = SlurmOptions(**{**OPTIONS, **options})
    graph = plan_jobs(runs, reported.append).graph
    SlurmGrid(graph, options, tools.folder, tools.root, reported.append).submit()
    return reported


def test_arrays_start_after_exactly_what_they_need(tools, cluster):
    runs = tools.runs(KD, MIXED, SIMPLE, seeds=2)
    reported = submit(tools, runs, cpus=4, memory='8GB')
    tasks = cluster.tasks()
    keys = {}
    for each in read_submissions(tools.root):
        keys |= {each.id_of(key): key for key in each.keys}
    assert set(keys) == set(tasks) and len(tasks) == 8
    numbers = {key: number for number, key in keys.items()}
    (teacher,) = (
        number for key, number in numbers.items() if 'wrn16_fashionmnist_mini/last' in key
    )
    (mixed,) = (number for key, number in numbers.items() if key.endswith('dataset.json'))
    needed = {key: tasks[number]['after'] for key, number in numbers.items()}
    for key, after in needed.items():
        expected = [teacher] if 'kd-' in key or key.endswith('dataset.json') else []
        assert after == ([mixed] if 'supermix/offline' in key else expected), key
    options = cluster.options(teacher.partition('_')[0])
    wanted = dict(partition='gpu', time='60', requeue=True, account='lab', mem='8GB')
    wanted |= {'kill-on-invalid-dep': 'yes', 'cpus-per-task': '4', 'gpus-per-node': '1'}
    wanted |= dict(signal='USR2@120', array='0-2%2')
    assert wanted.items() <= options.items(), options
    assert any(line.endswith(f'submitted as {mixed}, after {teacher}') for line in reported)
    # a second submission adds nothing, also if the first one was killed before it knew the numbers
    path = Path(tools.root, 'jobs.json')
    content = json.loads(path.read_text())
    content[0]['id'] = None
    path.write_text(json.dumps(content))
    again = submit(tools, runs)
    assert sum('in the queue as' in line for line in again) == 8
    assert cluster.tasks().keys() == tasks.keys()
    cluster.run()
    assert {each['state'] for each in cluster.tasks().values()} == {'COMPLETED'}
    assert sorted(tools.history('made')) == sorted(tools.plan)
    assert read_queue().states == {}
    assert [line.endswith('done before') for line in submit(tools, runs)] == [True] * 6


@pytest.fixture
def run_while(cluster, wait_for):
    """Run the cluster, and act once a job waits for a signal."""

    def run(path, act):
        def watch():
            wait_for(path)
            act()

        thread = threading.Thread(target=watch, daemon=True)
        thread.start()
        cluster.run()
        thread.join()

    return run


@pytest.mark.parametrize('numbers', [[signal.SIGUSR2], [signal.SIGTERM, signal.SIGUSR2]])
def test_a_job_that_is_out_of_time_or_preempted_saves_and_continues(
    tools, cluster, run_while, numbers
):
    runs = tools.runs(KD)
    folder = Path(tools.act('work_dirs/simple', 'wait'))
    submit(tools, runs)
    (teacher, student) = cluster.tasks()
    run_while(folder / 'waits', lambda: cluster.signal(teacher, *numbers))
    assert (folder / 'saved').read_text() == str(int(signal.SIGTERM))
    tasks = cluster.tasks()
    assert [tasks[each]['state'] for each in (teacher, student)] == ['COMPLETED'] * 2
    assert [tasks[each]['restarts'] for each in (teacher, student)] == [1, 0]
    assert tools.history('made') == [str(folder), str(runs[0].folder)]
    log = Path('runs/logs', f'{folder}.log').read_text()
    assert log.index('ended with status 143') < log.index('ended with status 0')


def test_a_cancelled_job_saves_and_is_not_requeued_and_a_failure_cancels_what_needs_it(
    tools, cluster, run_while
):
    runs = tools.runs(KD, SIMPLE)
    folder = Path(tools.act('work_dirs/simple', 'wait', 'fail'))
    submit(tools, runs)
    teacher = next(number for number, each in cluster.tasks().items() if not each['after'])
    for each in read_submissions(tools.root):
        teacher = next((each.id_of(key) for key in each.keys if str(folder) in key), teacher)
    run_while(folder / 'waits', lambda: cluster.signal(teacher, signal.SIGTERM))
    assert (folder / 'saved').read_text() == str(int(signal.SIGTERM))
    states = [each['state'] for each in cluster.tasks().values()]
    assert sorted(states) == ['CANCELLED', 'COMPLETED', 'FAILED']
    assert cluster.tasks()[teacher] | dict(state='FAILED', restarts=0) == cluster.tasks()[teacher]
    submit(tools, runs)
    cluster.run()
    assert tools.history('made') == [str(runs[1].folder)]
    submit(tools, runs)
    cluster.run()
    assert sorted(tools.history('made')) == sorted(tools.plan)


def test_without_a_queue_nothing_is_submitted(tools, cluster, tmp_path):
    runs = tools.runs(SIMPLE)
    (tmp_path / 'bin' / 'squeue').write_text('#!/bin/sh\necho "no controller" >&2\nexit 1\n')
    with pytest.raises(OSError, match='squeue failed.*: no controller'):
        submit(tools, runs)
    assert not cluster.tasks()


def test_without_slurm_nothing_is_submitted(tools, cluster, tmp_path, monkeypatch):
    monkeypatch.setenv('PATH', str(tmp_path))
    with pytest.raises(FileNotFoundError, match='--submit slurm needs sbatch .* --submit local'):
        submit(tools, tools.runs(SIMPLE))


def test_wrong_options_are_refused():
    with pytest.raises(ValueError, match='--slurm gpus-per-node must be a number'):
        SlurmOptions(others={'gpus-per-node': 'all'})
    with pytest.raises(ValueError, match='--array-parallelism must be'):
        SlurmOptions(parallelism=0)
    assert 'gpus_per_node' not in SlurmOptions(others={'gpus-per-node': '0'}).parameters()
