"""What is left to do, with what, and what does not keep the rest from it."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from mmtmix.apps.reproduce import Grid, ProcessWorkers, child, job_graph, plan_jobs, runs_of
from mmtmix.apps.reproduce.plan import known_seconds
from mmtmix.apps.reproduce.workers import shares, usable_cores

pytestmark = pytest.mark.host

SIMPLE = 'mini/classify/*/simple'


def run(tools, runs, reported):
    """Run what is missing, one job at a time; return whether all is done, and the plan."""
    plan = plan_jobs(runs, reported.append)
    workers = ProcessWorkers(1)
    return Grid(plan.graph, workers, tools.folder, tools.root, reported.append).run(), plan


@pytest.mark.parametrize(
    ('content', 'reason'),
    [
        ('model = dict(', 'SyntaxError'),
        ('x = 1 / 0', 'ZeroDivisionError: division by zero'),
        ('raise SystemExit(7)', 'SystemExit: 7'),
        ("custom_imports = ['no_such_module']", 'cannot be imported: No module'),
        ("_base_ = './missing.py'", 'missing.py'),
        (None, 'was not found'),
    ],
)
def test_a_config_that_cannot_be_read_is_left_out(cell, tmp_path, content, reason):
    path = tmp_path / 'bad.py'
    if content is not None:
        path.write_text(content)
    cells = cell(config=str(path)), cell(options={'model.backbone.depth.x': 1}), cell()
    bad, worse, good = (run for each in cells for run in runs_of(each, 1, str(tmp_path)))
    reported = []
    plan = plan_jobs([bad, worse, good], reported.append)
    assert list(plan.graph) == [str(good.folder)]
    assert list(plan.faults) == [bad, worse]
    assert reported[0].startswith(f'{bad.folder}: ') and 'bad.py' in reported[0]
    assert reason in reported[0]
    assert 'depth.x=1 cannot be read (' in reported[1]


@pytest.mark.parametrize(
    ('fields', 'state'),
    [
        (dict(digest='another'), 'made with another config'),
        (dict(seed=8), 'made with another seed'),
        (dict(processes=2), 'made with another number of processes'),
    ],
)
def test_what_another_run_left_is_never_continued(tools, fields, state):
    runs = tools.runs(SIMPLE)
    tools.plan[str(runs[0].folder)]['fields'] = fields
    tools.write()
    reported = []
    assert not run(tools, runs, reported)[0]
    assert f', {state} (log in' in reported[-1]
    reported.clear()
    is_over, plan = run(tools, runs, reported)
    assert reported == [f'{runs[0].folder}: {state}; move the folder away to run it anew']
    assert not plan.graph and list(plan.faults) == runs
    assert len(tools.history('began')) == 1


def test_a_damaged_record_and_a_folder_that_cannot_be_written_do_not_stop_the_rest(tools):
    runs = tools.runs(SIMPLE, seeds=3)
    runs[0].folder.mkdir(parents=True)
    (runs[0].folder / 'run.json').write_text('{')
    logs = Path(tools.root, 'logs', 'simple', 'wrn16_fashionmnist_mini')
    logs.mkdir(parents=True)
    (logs / 'seed1.log').mkdir()  # in the place of a file
    reported = []
    is_over, plan = run(tools, runs, reported)
    assert not is_over and list(plan.faults) == runs[:1]
    assert 'run.json is damaged' in reported[0]
    assert any('seed1: FAILED, [Errno 21] Is a directory' in line for line in reported)
    assert tools.history('made') == [str(runs[2].folder)]


def test_the_output_of_a_single_job_is_shown(tools, capsys):
    runs = tools.runs(SIMPLE)
    tools.act('runs/simple', 'fail')
    reported = []
    assert not run(tools, runs, reported)[0]
    assert capsys.readouterr().out == 'train.py: error: the loss is not finite\n'
    assert reported[1].startswith('    python ')


def test_times_are_those_of_finished_runs_of_other_seeds(tools):
    runs = tools.runs(SIMPLE, 'mini/classify/*/mixup', seeds=3)
    for seed, seconds, state in ((0, 10.0, 'done'), (1, 20.0, 'done'), (2, 99.0, 'failed')):
        folder = runs[seed].folder
        folder.mkdir(parents=True)
        (folder / 'run.json').write_text(json.dumps(dict(seconds=seconds, state=state)))
    found = known_seconds(job_graph(runs))
    assert found == dict.fromkeys((str(each.folder) for each in runs[:3]), 15.0)


def test_several_jobs_share_the_machine(monkeypatch):
    monkeypatch.delenv('OMP_NUM_THREADS', raising=False)
    monkeypatch.setenv('MKL_NUM_THREADS', '1')
    monkeypatch.delenv('CUDA_VISIBLE_DEVICES', raising=False)
    monkeypatch.setattr(os, 'sched_getaffinity', lambda pid: set(range(12)))
    assert usable_cores() == 12
    assert shares(1) == [{}]
    threads = dict(OMP_NUM_THREADS='4', MKL_NUM_THREADS='1')
    monkeypatch.setattr(torch.cuda, 'device_count', lambda: 0)
    assert shares(3) == [threads] * 3
    monkeypatch.setattr(torch.cuda, 'device_count', lambda: 4)
    monkeypatch.setenv('CUDA_VISIBLE_DEVICES', '3,5,6,7')
    cards = [each['CUDA_VISIBLE_DEVICES'] for each in shares(2, 2)]
    assert cards == ['3,5', '6,7']
    with pytest.raises(ValueError, match='6 GPUs, but 4 are visible; lower .* to 2'):
        shares(3, 2)
    with pytest.raises(ValueError, match='slots must be'):
        shares(0)


@pytest.mark.skipif(sys.platform != 'linux', reason='other kernels have no such request')
def test_a_job_saves_when_the_process_that_started_it_is_killed(tools, tmp_path, wait_for):
    runs = tools.runs(SIMPLE)
    folder = Path(tools.act('runs/simple', 'wait'))
    command = [sys.executable, *runs[0].command(tools.folder)[1:]]
    # by its file, since importing the package takes seconds
    code = (
        f'import sys; sys.path.insert(0, {str(Path(child.__file__).parent)!r}); import child, os; '
        f'child.start_child({command!r}, os.environ).wait()'
    )
    parent = subprocess.Popen([sys.executable, '-c', code])
    wait_for(folder / 'waits')
    parent.kill()
    parent.wait()
    wait_for(folder / 'saved')
    assert (folder / 'saved').read_text() == str(int(signal.SIGTERM))
