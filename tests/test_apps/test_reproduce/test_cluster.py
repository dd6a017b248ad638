"""Grids through submitit's executor for one machine, in the place of a cluster."""

import builtins
import re
import signal
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from mmtmix.apps.reproduce import Grid, grid, plan_jobs
from mmtmix.apps.reproduce.cluster import SubmititWorkers, _Submitted, import_submitit, minutes_of
from mmtmix.apps.reproduce.cluster_job import ClusterJob
from mmtmix.apps.reproduce.job_log import final_line, first_line
from mmtmix.utils import Stopped

pytest.importorskip('submitit')
pytestmark = pytest.mark.host

KD, SIMPLE = 'mini/distill/*/kd', 'mini/classify/*/simple'


def run(tools, runs, reported):
    """Run what is missing, two jobs at a time."""
    plan = plan_jobs(runs, reported.append)
    workers = SubmititWorkers(tools.root, 2)
    return Grid(plan.graph, workers, tools.folder, tools.root, reported.append).run()


@pytest.fixture(autouse=True)
def _often(monkeypatch):
    monkeypatch.setattr(grid, 'POLL_OTHERS', 0.1)


def test_a_grid_is_stopped_goes_on_and_survives_failures_and_kills(tools, wait_for):
    runs = tools.runs(KD, SIMPLE)
    folder = Path(tools.act('work_dirs/simple', 'wait', 'killed in the middle'))
    tools.act('runs/simple', 'fail')

    def end():
        wait_for(folder / 'waits')
        signal.raise_signal(signal.SIGTERM)

    thread = threading.Thread(target=end)
    thread.start()
    reported = []
    with pytest.raises(Stopped):
        run(tools, runs, reported)
    thread.join()
    assert (folder / 'saved').read_text() == str(int(signal.SIGTERM))
    assert any('stopped by SIGTERM after' in line for line in reported)
    reported.clear()
    assert not run(tools, runs, reported)
    assert any(re.search('FAILED, (exit status 1|killed by SIGKILL)', line) for line in reported)
    while not run(tools, runs, reported):
        assert len(tools.history('began')) < 9, reported
    assert sorted(tools.history('made')) == sorted(tools.plan)
    log = Path('runs/logs', f'{folder}.log').read_text()
    assert [log.count(f'ended with status {code} ') for code in (143, -9, 0)] == [1, 1, 1]


def job_of(tmp_path, script, **settings):
    """Return a job that runs a Python script."""
    (tmp_path / 'work').mkdir(exist_ok=True)
    command = ['python', '-c', script]
    log, folder = str(tmp_path / 'a.log'), str(tmp_path / 'work')
    return ClusterJob(command, str(tmp_path), log, folder, **settings)


@pytest.fixture
def _handlers():
    """Handlers of signals as they were before a job."""
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR2)
    before = {number: signal.getsignal(number) for number in numbers}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures('_handlers')
def test_a_job_waits_for_late_files_and_for_other_launches(tmp_path, monkeypatch):
    monkeypatch.setattr(ClusterJob, 'WAIT_FOR_CLAIM', 0.01)
    script = (
        'import os, sys; n = len(os.listdir("work")); open(f"work/{n}", "w"); '
        'sys.exit(0 if os.path.exists("late") and n == 2 else 75)'
    )
    threading.Timer(0.2, (tmp_path / 'late').touch).start()
    monkeypatch.chdir(tmp_path)
    job_of(tmp_path, script, files=[str(tmp_path / 'late')])()
    assert (tmp_path / 'a.log').read_text().count('ended with status 75') == 2


@pytest.mark.usefixtures('_handlers')
def test_a_job_without_progress_is_not_requeued_for_ever(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    job = job_of(tmp_path, 'pass')
    for _ in range(ClusterJob.STALLS):
        assert job.checkpoint().function is job
    (tmp_path / 'work' / 'iter_1.pth').touch()
    for _ in range(ClusterJob.STALLS):
        assert job.checkpoint().function is job
    assert job.checkpoint() is None
    assert 'interruptions without a new checkpoint' in (tmp_path / 'a.log').read_text()


@pytest.mark.parametrize(
    ('code', 'left', 'submissions'), [(143, 'nothing', 2), (143, 'an error', 1), (0, 'nothing', 1)]
)
def test_a_job_that_was_requeued_too_often_is_submitted_again(tmp_path, code, left, submissions):
    """Stands for submitit's executor, whose own time limits are of whole minutes."""
    made = []

    def submit():
        made.append(SimpleNamespace(result_pickle=tmp_path / 'result.pkl'))
        return SimpleNamespace(done=lambda: len(made) == 1, paths=made[-1])

    if left == 'an error':
        (tmp_path / 'result.pkl').touch()
    (tmp_path / 'a.log').write_text(first_line(['a']) + final_line(code, 60.0))
    submitted = _Submitted(submit, tmp_path / 'a.log')
    assert submitted.poll() == (None if submissions == 2 else code)
    assert submitted.poll() == (None if submissions == 2 else code)
    assert len(made) == submissions


@pytest.mark.parametrize(
    ('text', 'minutes'),
    [('90', 90), ('04:00:00', 240), ('1:30', 2), ('2-0', 2880), ('1-01:30', 1530), (None, None)],
)
def test_time_limits_are_those_of_sbatch(text, minutes):
    assert minutes_of(text) == minutes


@pytest.mark.parametrize('text', ['', 'an hour', '1:2:3:4', '-5', '0', '1:-2'])
def test_other_time_limits_are_refused(text):
    with pytest.raises(ValueError, match='--time must be'):
        minutes_of(text)


def test_without_submitit_the_cure_is_shown(monkeypatch):
    def refuse(name, *args, **settings):
        if name == 'submitit':
            raise ImportError('No module named submitit')
        return imports(name, *args, **settings)

    imports = builtins.__import__
    monkeypatch.setattr(builtins, '__import__', refuse)
    with pytest.raises(ImportError, match=r'pip install "mmtmix\[cluster\]"'):
        import_submitit()
