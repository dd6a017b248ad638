"""Runs are run, with what they need before."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

import mmtmix
from mmtmix.apps.reproduce import State, child, execute, runs_of
from mmtmix.utils import Stopped

pytestmark = pytest.mark.host

GRID = 'configs/simple/grid_fashionmnist.py'

# trains nothing: leaves what a training leaves
TRAIN = """
import pathlib, shutil, sys
if 'fails=3' in sys.argv:
    raise SystemExit(3)
folder = pathlib.Path(sys.argv[sys.argv.index('--work-dir') + 1])
shutil.copy(pathlib.Path(__file__).with_name('last.pth'), folder)
"""


@pytest.fixture
def tools(tmp_path):
    """A folder with a tools/train.py."""
    folder = tmp_path / 'tools'
    folder.mkdir()
    (folder / 'train.py').write_text(TRAIN)
    torch.save(dict(state_dict={}, meta=dict(precision='float32')), folder / 'last.pth')
    return folder


def test_a_run_is_recorded_with_its_variants_and_its_precision(cell, tools, tmp_path):
    settings = dict(config=GRID, variants={'NET': 'wrn16_2'})
    (run,) = runs_of(cell(**settings), 1, str(tmp_path / 'runs'))
    reported = []
    assert execute([run], tools, report=reported.append) == []
    assert run.state is State.DONE
    assert reported[-1].startswith('    done after')
    assert any(f'{GRID} --variant NET=wrn16_2 --work-dir' in line for line in reported)
    noted = json.loads((run.folder / 'run.json').read_text())
    assert noted['variants'] == {'NET': 'wrn16_2'}
    assert noted['precision'] == 'float32'


def test_a_failure_is_reported_and_the_rest_runs(cell, tools, tmp_path):
    bad = cell('a/1/r/bad', options={'fails': 3})
    runs = [
        run
        for each in (bad, cell('a/1/r/good', config=GRID, variants={'NET': 'wrn16_2'}))
        for run in runs_of(each, 1, str(tmp_path / 'runs'))
    ]
    reported = []
    assert execute(runs, tools, report=reported.append) == runs[:1]
    assert any('FAILED with exit status 3' in line for line in reported)
    assert runs[1].state is State.DONE


@pytest.mark.skipif(not shutil.which('git'), reason='needs git')
def test_the_commit_of_a_checkout_is_noted(cell, tools, tmp_path, monkeypatch):
    def version_noted(seed):
        (run,) = runs_of(cell(), (seed,), str(tmp_path / 'runs'))
        assert execute([run], tools, report=str) == []
        return run.record['versions']['mmtmix']

    def git(*words):
        settings = ['-c', 'user.name=a', '-c', 'user.email=a@b.c', '-c', 'commit.gpgsign=false']
        command = ['git', *settings, '-C', str(tmp_path), *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    source = tmp_path / 'mmtmix' / '__init__.py'
    source.parent.mkdir()
    source.write_text('# a package\n')
    monkeypatch.setattr(mmtmix, '__file__', str(source))
    assert version_noted(0) == mmtmix.__version__
    git('init')
    assert version_noted(1) == mmtmix.__version__  # nothing is committed yet
    git('add', 'mmtmix')
    git('commit', '-m', 'begin')
    commit = git('rev-parse', '--short', 'HEAD')
    assert version_noted(2) == f'{mmtmix.__version__}+g{commit}'
    source.write_text('# changed\n')
    assert version_noted(3) == f'{mmtmix.__version__}+g{commit}.dirty'


@pytest.mark.parametrize(('answer', 'driver'), [('echo 580.1', '580.1'), ('exit 9', 'unknown')])
def test_a_gpu_is_noted_with_its_driver(cell, tools, tmp_path, monkeypatch, answer, driver):
    program = tmp_path / 'bin' / 'nvidia-smi'
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\n{answer}\n')
    program.chmod(0o755)
    monkeypatch.setenv('PATH', str(program.parent), prepend=os.pathsep)
    cuda = SimpleNamespace(is_available=lambda: True, get_device_name=lambda: 'a card')
    fake = SimpleNamespace(__name__='torch', __version__='2.0', cuda=cuda)
    # of this module alone: others would look for the card itself
    monkeypatch.setattr(sys.modules[execute.__module__], 'torch', fake)
    (run,) = runs_of(cell(), (0,), str(tmp_path / 'runs'))
    assert execute([run], tools, report=str) == []
    assert run.record['device'] == 'a card'
    assert run.record['versions']['driver'] == driver


# waits until it is asked to end, saves, and may leave a worker behind
WAIT = """
import os, pathlib, signal, sys, time
folder = pathlib.Path(sys.argv[sys.argv.index('--work-dir') + 1])

def save(number, frame):
    (folder / 'saved').write_text(str(number))
    sys.exit(3)

signal.signal(signal.SIGTERM, save)
signal.signal(signal.SIGINT, save)
(folder / 'pid').write_text(str(os.getpid()))
(folder / 'started').touch()
time.sleep(60)
"""


def wait_for(path):
    deadline = time.monotonic() + 120  # on a busy machine imports take long
    while not path.exists():
        assert time.monotonic() < deadline, path
        time.sleep(0.01)


@pytest.fixture
def waiting(cell, tools, tmp_path):
    """A run whose training waits for a signal."""
    (tools / 'train.py').write_text(WAIT)
    (run,) = runs_of(cell(), 1, str(tmp_path / 'runs'))
    return run


@pytest.fixture
def _ctrl_c():
    """Ctrl-C as in a terminal: a shell starts commands in the background without it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures('_ctrl_c')
@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGINT])
def test_a_request_to_end_goes_to_the_training_which_saves(waiting, tools, number):
    def ask():
        wait_for(waiting.folder / 'started')
        os.kill(os.getpid(), number)

    handlers = [signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)]
    thread = threading.Thread(target=ask)
    thread.start()
    reported = []
    with pytest.raises(Stopped) as stop:
        execute([waiting], tools, report=reported.append)
    thread.join()
    assert stop.value.signum == number
    assert (waiting.folder / 'saved').read_text() == str(int(number))
    assert f'stopped by {number.name} after' in reported[-1]
    assert waiting.record['seconds'] > 0
    assert [signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)] == handlers


def test_seconds_are_noted_while_a_training_runs_and_added_up(waiting, tools, monkeypatch):
    def look_and_end():
        wait_for(waiting.folder / 'started')
        deadline = time.monotonic() + 120  # on a busy machine imports take long
        while waiting.record['seconds'] < 100.1:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        noted.append(waiting.record['seconds'])
        os.kill(int((waiting.folder / 'pid').read_text()), signal.SIGKILL)

    noted, reported = [], []
    monkeypatch.setattr(child.run_child, '__defaults__', (None, 0.05))
    waiting.folder.mkdir(parents=True)
    before = json.dumps(dict(seconds=100.0, digest=waiting.digest()))
    (waiting.folder / 'run.json').write_text(before)
    thread = threading.Thread(target=look_and_end)
    thread.start()
    assert execute([waiting], tools, report=reported.append) == [waiting]
    thread.join()
    assert 100.1 <= noted[0] <= waiting.record['seconds'] < 160
    assert any('FAILED with exit status -9 after 1' in line for line in reported)


@pytest.mark.skipif(sys.platform != 'linux', reason='other kernels have no such request')
def test_a_training_ends_when_the_process_that_started_it_is_killed(tmp_path):
    script = tmp_path / 'wait.py'
    script.write_text(WAIT)
    command = [sys.executable, str(script), '--work-dir', str(tmp_path)]
    path = str(Path(child.__file__).parent)
    # by its file, since importing the package takes seconds
    code = f'import sys; sys.path.insert(0, {path!r}); import child, os; ' + (
        f'child.run_child({command!r}, os.environ, lambda: None)'
    )
    parent = subprocess.Popen([sys.executable, '-c', code])
    wait_for(tmp_path / 'started')
    parent.kill()
    parent.wait()
    wait_for(tmp_path / 'saved')
    assert (tmp_path / 'saved').read_text() == str(int(signal.SIGTERM))


def test_a_run_that_another_process_is_at_is_left_to_it(cell, tools, tmp_path):
    runs = runs_of(cell(), (0, 1), str(tmp_path / 'runs'))
    runs[0].folder.mkdir(parents=True)
    code = (
        'import fcntl, sys; file = open(sys.argv[1], "w"); fcntl.lockf(file, fcntl.LOCK_EX); '
        'print("locked", flush=True); sys.stdin.read()'
    )
    command = [sys.executable, '-c', code, str(runs[0].folder / 'claim.json')]
    pipes = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    reported = []
    with subprocess.Popen(command, **pipes) as other:
        assert other.stdout.readline() == 'locked\n'
        assert execute(runs, tools, report=reported.append) == runs[:1]
        other.communicate()
    assert reported[0].startswith(f'[1/2] {runs[0].folder}: {runs[0].folder} is in use by another')
    assert not (runs[0].folder / 'run.json').exists()
    assert runs[1].state is State.DONE


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
def test_a_config_that_cannot_be_read_is_told_and_the_rest_runs(
    cell, tools, tmp_path, content, reason
):
    path = tmp_path / 'bad.py'
    if content is not None:
        path.write_text(content)
    runs = [
        run
        for each in (cell('a/1/r/bad', config=str(path)), cell('a/1/r/good'))
        for run in runs_of(each, 1, str(tmp_path / 'runs'))
    ]
    reported = []
    assert execute(runs, tools, report=reported.append) == runs[:1]
    assert reported[0].startswith(f'[1/2] {runs[0].folder}: ')
    assert 'bad.py' in reported[0] and reason in reported[0]
    assert runs[1].state is State.DONE


@pytest.mark.parametrize(
    ('settings', 'reason'),
    [
        (dict(options={'model.backbone.depth.x': 1}), 'depth.x=1 cannot be read ('),
        (dict(options={'model': '[1,(2'}), 'model=[1,(2 cannot be read ('),
    ],
)
def test_bad_settings_are_told_and_the_rest_runs(cell, tools, tmp_path, settings, reason):
    runs = [
        run
        for each in (
            cell('a/1/r/bad', **settings),
            cell('a/1/r/good', config=GRID, variants={'NET': 'wrn16_2'}),
        )
        for run in runs_of(each, 1, str(tmp_path / 'runs'))
    ]
    reported = []
    assert execute(runs, tools, report=reported.append) == runs[:1]
    assert any(reason in line for line in reported), reported
    assert runs[1].state is State.DONE


def test_a_folder_that_cannot_be_written_to_is_told_and_the_rest_runs(cell, tools, tmp_path):
    runs = [
        run
        for each in (cell('a/1/r/bad', options={'seed': 1}), cell('a/1/r/good'))
        for run in runs_of(each, 1, str(tmp_path / 'runs'))
    ]
    runs[0].folder.parent.parent.mkdir(parents=True)
    runs[0].folder.parent.touch()  # a file in the place of a folder
    reported = []
    assert execute(runs, tools, report=reported.append) == runs[:1]
    assert 'cannot be written' in reported[0] and 'give another folder' in reported[0]
    assert runs[1].state is State.DONE
