"""Runs are run, with what they need before."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from mmtmix.apps.reproduce import State, child, execute, runs_of
from mmtmix.utils import Stopped

pytestmark = pytest.mark.host

GRID = 'configs/simple/grid_fashionmnist.py'

# trains nothing: leaves what a training leaves, with the record that the test foresees
TRAIN = """
import json, pathlib, sys
folder = pathlib.Path(sys.argv[sys.argv.index('--work-dir') + 1])
folder.mkdir(parents=True, exist_ok=True)
(folder / 'last.pth').touch()
foreseen = json.loads(pathlib.Path(__file__).with_name('records.json').read_text())
(folder / 'run.json').write_text(json.dumps(foreseen[str(folder)]))
{}
"""


@pytest.fixture
def tools(tmp_path):
    """A folder with a tools/train.py."""
    folder = tmp_path / 'tools'
    folder.mkdir()
    (folder / 'train.py').write_text(TRAIN.format(''))
    return folder


def foresee(tools, *runs, **fields):
    """Let the trainings of runs leave records that fit them."""
    records = {
        str(run.folder): dict(digest=run.digest(), seed=run.seed, state='done', seconds=7.0)
        | fields
        for run in runs
    }
    (tools / 'records.json').write_text(json.dumps(records))


def test_a_run_is_done_if_its_training_says_so(cell, tools, tmp_path):
    settings = dict(config=GRID, variants={'NET': 'wrn16_2'})
    (run,) = runs_of(cell(**settings), 1, str(tmp_path / 'runs'))
    foresee(tools, run)
    reported = []
    assert execute([run], tools, report=reported.append) == []
    assert run.state is State.DONE
    assert reported[-1] == '    done after 7 s'
    assert any(f'{GRID} --variant NET=wrn16_2 --work-dir' in line for line in reported)
    assert execute([run], tools, report=reported.append) == []
    assert reported[-1].endswith(': done before')


@pytest.mark.parametrize(
    ('fields', 'state'),
    [
        (dict(digest='another'), State.OUTDATED),
        (dict(seed=8), State.OTHER_SEED),
        (dict(processes=2), State.OTHER_PROCESSES),
        (dict(state='stopped'), State.STARTED),
        (dict(state='failed'), State.FAILED),
        (dict(state='running'), State.STARTED),  # its process is dead
    ],
)
def test_a_training_that_leaves_another_record_has_failed(cell, tools, tmp_path, fields, state):
    (run,) = runs_of(cell(), 1, str(tmp_path / 'runs'))
    foresee(tools, run, **fields)
    reported = []
    assert execute([run], tools, report=reported.append) == [run]
    assert run.state is state
    assert f'    FAILED: {state.value} after 7 s' in reported
    reported.clear()
    foresee(tools, run)
    # what another run left is never continued
    assert execute([run], tools, report=reported.append) == [run] * state.is_of_another_run
    move_away = f'[1/1] {run.folder}: {state.value}; move the folder away to run it anew'
    assert (reported[0] == move_away) == state.is_of_another_run
    assert reported[0].endswith(': goes on') != state.is_of_another_run


def test_a_failure_is_reported_and_the_rest_runs(cell, tools, tmp_path):
    bad = cell('a/1/r/bad', options={'fails': 3})
    runs = [
        run
        for each in (bad, cell('a/1/r/good', config=GRID, variants={'NET': 'wrn16_2'}))
        for run in runs_of(each, 1, str(tmp_path / 'runs'))
    ]
    foresee(tools, *runs)
    fail = "if 'fails=3' in sys.argv: sys.exit(3)"
    (tools / 'train.py').write_text(TRAIN.format(fail))
    reported = []
    assert execute(runs, tools, report=reported.append) == runs[:1]
    assert any('FAILED with exit status 3' in line for line in reported)
    assert runs[1].state is State.DONE


# waits until it is asked to end, saves, and may leave a worker behind
WAIT = """
import os, pathlib, signal, sys, time
folder = pathlib.Path(sys.argv[sys.argv.index('--work-dir') + 1])
folder.mkdir(parents=True, exist_ok=True)

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
    assert f'stopped by {number.name} after 0 s' in reported[-1]
    assert [signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)] == handlers


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
    foresee(tools, *runs)
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
    foresee(tools, runs[1])
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
    foresee(tools, runs[1])
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
    foresee(tools, runs[1])
    reported = []
    assert execute(runs, tools, report=reported.append) == runs[:1]
    assert 'cannot be written' in reported[0] and 'give another folder' in reported[0]
    assert runs[1].state is State.DONE
