"""The state of all jobs from what they leave, and the repetition of those that failed."""

import io
import json
import subprocess
import sys

import pytest
from rich.console import Console

from mmtmix.apps.reproduce import Grid, ProcessWorkers, grid, job_graph, plan_jobs
from mmtmix.apps.reproduce.launch import begun
from mmtmix.apps.reproduce.status import show_status, table
from mmtmix.apps.reproduce.submissions import Submission, queued, read_queue, write_submissions
from mmtmix.apps.reproduce.survey import JobState, jobs_to_retry, survey

pytestmark = pytest.mark.host

KD, MIXED, SIMPLE = 'mini/distill/*/kd', 'mini/classify/*/supermix', 'mini/classify/*/simple'


def run(tools, graph):
    return Grid(graph, ProcessWorkers(2), tools.folder, tools.root, report=str).run()


@pytest.fixture
def running(tools, cluster, monkeypatch, wait_for):
    """A grid in which jobs are in all states, with a process that trains, and the graph."""
    monkeypatch.setattr(grid, 'POLL', 0.02)
    runs = tools.runs(KD, MIXED, SIMPLE, seeds=2)
    tools.act('supermix/generate', 'fail')
    tools.act('kd-PAIR=wrn16_wrn10_fashionmnist_mini/seed0', 'killed in the middle')
    folder = tools.act('runs/simple/wrn16_fashionmnist_mini/seed0', 'wait')
    mixed = [each for each in runs if 'supermix' in each.config]
    kd = next(each for each in runs if 'kd' in each.config)
    assert not run(tools, plan_jobs([kd, *mixed], str).graph)
    simple = [each for each in runs if 'simple' in each.config]
    command = [sys.executable, *simple[0].command(tools.folder)[1:]]
    with subprocess.Popen(command) as process:
        wait_for(simple[0].folder / 'waits')
        key = str(simple[1].folder)
        write_submissions(tools.root, [Submission('mmtmix-a', ['none', key], '7')])
        fields = dict(number=7, task=1, state='PENDING', name='mmtmix-a')
        (cluster.state / '7_1.json').write_text(json.dumps(fields))
        yield job_graph(runs), process, folder
        process.terminate()


def test_every_state_is_shown_and_what_ended_early_runs_again(running, tools, capsys):
    graph, process, folder = running
    found = survey(graph, tools.root)
    states = {
        key.split('/', 1)[1].rsplit('/', 1)[0] if job.run is None else key: found[key]
        for key, job in graph.items()
    }
    kd = 'runs/distill/kd-PAIR=wrn16_wrn10_fashionmnist_mini/seed'
    mixed = 'runs/supermix/offline_wrn16_fashionmnist_mini/seed'
    simple = 'runs/simple/wrn16_fashionmnist_mini/seed'
    expected = {
        'simple/wrn16_fashionmnist_mini': JobState.DONE,
        f'{kd}0': JobState.INTERRUPTED,
        f'{kd}1': JobState.READY,
        'supermix/generate_wrn16_fashionmnist_mini': JobState.FAILED,
        f'{mixed}0': JobState.BLOCKED,
        f'{mixed}1': JobState.BLOCKED,
        f'{simple}0': JobState.RUNNING,
        f'{simple}1': JobState.QUEUED,
    }
    assert {key: each.state for key, each in states.items()} == expected
    of_set = states['supermix/generate_wrn16_fashionmnist_mini']
    assert of_set.text == 'RuntimeError: the loss is not finite'
    assert states[f'{mixed}0'].text.endswith('generate_wrn16_fashionmnist_mini/dataset.json')
    at_work = states[f'{simple}0']
    assert at_work.text.startswith('on ')
    assert (at_work.progress, at_work.seconds, at_work.left) == (0.2, 2.0, 8.0)
    assert states[f'{simple}1'].text == '7_1 pending'

    show_status(lambda: found)
    out = capsys.readouterr().out
    assert f'running       20%  0:00:02, 0:00:08 left  {simple}0  on ' in out
    totals = '8 jobs: 1 done, 1 running, 1 queued, 1 ready, 2 blocked, 1 interrupted, 1 failed'
    assert out.splitlines()[-1] == totals
    with io.StringIO() as file:
        Console(file=file, width=150).print(table(found))
        drawn = file.getvalue()
    assert 'RuntimeError: the loss is not finite' in drawn and totals in drawn

    again = jobs_to_retry(graph, found)
    keys = [key for key in graph if key.startswith('work_dirs/supermix')]
    assert set(again) == {*keys, f'{kd}0', f'{mixed}0', f'{mixed}1'}
    assert again[f'{mixed}0'].requires == (keys[0],)
    before = len(tools.history('began'))
    assert run(tools, again)
    assert len(tools.history('began')) == before + 4
    process.terminate()
    process.wait()
    found = survey(graph, tools.root)
    assert found[folder].state is JobState.STOPPED
    assert found[folder].text == 'stopped by SIGTERM'
    assert set(jobs_to_retry(graph, found)) == {folder}


def test_without_a_cell_the_begun_and_submitted_runs_count(tools):
    runs = tools.runs(KD, MIXED, SIMPLE, seeds=2)
    assert begun(runs, tools.root) == []
    runs[1].folder.mkdir(parents=True)
    write_submissions(tools.root, [Submission('a', [str(runs[2].folder)])])
    assert begun(runs, tools.root) == runs[:4]


def test_a_job_that_is_completing_has_left_the_queue(cluster):
    for task, state in enumerate(('RUNNING', 'COMPLETING')):
        fields = dict(number=7, task=task, state=state, name='mmtmix-a')
        (cluster.state / f'7_{task}.json').write_text(json.dumps(fields))
    fields = dict(number=8, task=None, state='COMPLETING', name='mmtmix-b')
    (cluster.state / '8.json').write_text(json.dumps(fields))
    queue = read_queue()
    assert queue.ids == {'mmtmix-a': '7', 'mmtmix-b': '8'}
    submissions = [Submission('mmtmix-a', ['a', 'b'], '7'), Submission('mmtmix-b', ['c'], '8')]
    assert queued(submissions, queue) == {'a': ('7_0', 'RUNNING')}


def test_a_damaged_list_of_submissions_is_refused(tools):
    runs = tools.runs(SIMPLE)
    write_submissions(tools.root, [])
    (tools.folder.parent / tools.root / 'jobs.json').write_text('[{"name": 1}]')
    with pytest.raises(ValueError, match='jobs.json is damaged'):
        survey(job_graph(runs), tools.root)
