"""Claims: one process at a time works in a folder, and a dead one holds nothing."""

import errno
import fcntl
import json
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from mmtmix.utils import claims
from mmtmix.utils.claims import CLAIM_FILE, ClaimedError, claim_folder, wait_for_folder

# a claim without the host stack, whose import takes seconds
HOLD = f"""
import importlib.util, sys, types
for name in ('mmtmix', 'mmtmix.utils'):
    module = sys.modules[name] = types.ModuleType(name)
    module.__path__ = [{str(Path(claims.__file__).parents[1])!r} + name[6:].replace('.', '/')]
from mmtmix.utils.claims import claim_folder
claim = claim_folder(sys.argv[1])
print('claimed', flush=True)
sys.stdin.readline()
claim.release()
"""


@pytest.fixture
def other(tmp_path):
    """Another process that claims ``tmp_path/run``."""
    process = subprocess.Popen(
        [sys.executable, '-c', HOLD, str(tmp_path / 'run')],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == 'claimed\n'
    yield process
    process.kill()
    process.communicate()


def leave(folder, **changes):
    """Leave the claim of a process that exists no more."""
    folder.mkdir(exist_ok=True)
    holder = dict(host='elsewhere', pid=1, started=5, command='python train.py', since='monday')
    path = folder / CLAIM_FILE
    path.write_text(json.dumps(holder | changes))
    return path


def test_a_claim_tells_who_holds_it_and_is_gone_after_its_release(tmp_path):
    claim = claim_folder(tmp_path / 'new' / 'run')
    holder = json.loads((tmp_path / 'new' / 'run' / CLAIM_FILE).read_text())
    assert holder['pid'] == os.getpid()
    assert holder['host'] == os.uname().nodename
    # the name of the program, in parentheses, may hold spaces
    status = Path('/proc/self/stat').read_text().rpartition(')')[2].split()
    assert holder['started'] == int(status[19])
    assert sys.argv[-1] in holder['command']
    claim.release()
    claim.release()
    assert not (tmp_path / 'new' / 'run').exists()  # it was made for the claim
    claim_folder(tmp_path / 'new' / 'run').release()


def test_a_second_process_is_refused_with_the_holder_and_the_cure(tmp_path, other):
    folder = tmp_path / 'run'
    with pytest.raises(ClaimedError) as error:
        claim_folder(folder)
    text = str(error.value)
    assert text.startswith(
        f'{folder} is in use by process {other.pid} on {os.uname().nodename} since 20'
    )
    for part in ('`python', 'wait for its end, stop it, or give another folder', CLAIM_FILE):
        assert part in text
    other.stdin.write('\n')
    other.stdin.flush()
    assert other.wait(10) == 0
    claim_folder(folder).release()


def test_the_refusal_can_be_sent_to_other_ranks(tmp_path, other):
    with pytest.raises(ClaimedError) as error:
        claim_folder(tmp_path / 'run')
    sent = pickle.loads(pickle.dumps(error.value))
    assert type(sent) is ClaimedError and str(sent) == str(error.value)


def test_a_killed_process_holds_nothing(tmp_path, other):
    other.send_signal(signal.SIGKILL)
    other.wait()
    assert (tmp_path / 'run' / CLAIM_FILE).is_file()
    claim_folder(tmp_path / 'run').release()


def test_a_stopped_process_still_holds(tmp_path, other):
    other.send_signal(signal.SIGSTOP)
    with pytest.raises(ClaimedError):
        claim_folder(tmp_path / 'run')


def test_workers_that_a_holder_forks_hold_nothing(tmp_path):
    claim = claim_folder(tmp_path)
    if (pid := os.fork()) == 0:
        claim.release()  # as an exit of a worker may do
        signal.pause()
    claim_file = tmp_path / CLAIM_FILE
    try:
        time.sleep(0.1)
        assert claim_file.is_file()
        claim.release()
        assert not claim_file.exists()
        claim_folder(tmp_path).release()
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def test_one_process_claims_a_folder_once_by_whatever_name(tmp_path):
    (tmp_path / 'link').symlink_to(tmp_path / 'run')
    claim = claim_folder(tmp_path / 'run')
    for wait in (claim_folder, lambda folder: wait_for_folder(folder, lambda: False)):
        with pytest.raises(ValueError, match='link is the folder of two runs of this process'):
            wait(tmp_path / 'link')
    claim.release()


def test_one_waits_for_the_work_of_another(tmp_path, other):
    told, product = [], tmp_path / 'run' / 'last.pth'
    threading.Timer(0.3, product.touch).start()
    claim = wait_for_folder(tmp_path / 'run', product.is_file, told.append, poll=0.05)
    assert claim is None
    (line,) = told
    assert line.startswith(f'waiting for process {other.pid} on {os.uname().nodename} since ')
    assert f', which works in {tmp_path / "run"}; if it is no longer there, delete ' in line


def test_one_takes_over_from_another_that_dies(tmp_path, other):
    threading.Timer(0.3, other.kill).start()
    claim = wait_for_folder(tmp_path / 'run', lambda: False, lambda line: None, poll=0.05)
    assert json.loads((tmp_path / 'run' / CLAIM_FILE).read_text())['pid'] == os.getpid()
    claim.release()


def test_what_is_done_needs_no_claim(tmp_path):
    assert wait_for_folder(tmp_path / 'run', lambda: True) is None
    assert not (tmp_path / 'run').exists()
    answers = iter((False, True))
    assert wait_for_folder(tmp_path / 'run', lambda: next(answers)) is None
    assert not (tmp_path / 'run').exists()


@pytest.mark.parametrize('content', ['', '{', '[]', '{"pid": 1}'])
def test_a_damaged_claim_without_a_lock_holds_nothing(tmp_path, content):
    (tmp_path / CLAIM_FILE).write_text(content)
    claim_folder(tmp_path).release()


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path):
    (tmp_path / 'file').touch()
    with pytest.raises(OSError, match='file.run cannot be written: .*give another folder'):
        claim_folder(tmp_path / 'file' / 'run')


def test_a_holder_on_another_machine_counts_while_it_renews_its_claim(tmp_path, monkeypatch):
    monkeypatch.setattr(claims, 'DEAD_AFTER', 0.5)
    path, told = leave(tmp_path), []
    timer = threading.Timer(0.2, os.utime, [path])
    timer.start()
    with pytest.raises(ClaimedError, match='process 1 on elsewhere since monday .`python train'):
        claim_folder(tmp_path, told.append)
    assert len(told) == 1 and 'waiting up to' in told[0]
    timer.join()
    claim_folder(tmp_path, told.append).release()
    assert len(told) == 2
    path = leave(tmp_path)
    os.utime(path, (1, 1))  # dead for long, so there is nothing to look for
    claim_folder(tmp_path, told.append).release()
    assert len(told) == 2


def test_a_claim_that_is_given_back_while_it_is_watched_is_taken(tmp_path, monkeypatch):
    monkeypatch.setattr(claims, 'DEAD_AFTER', 3.0)
    path = leave(tmp_path)
    timer = threading.Timer(0.1, os.unlink, [path])
    timer.start()
    claim = wait_for_folder(tmp_path, lambda: False, lambda line: None, poll=0.05)
    timer.join()
    assert json.loads(path.read_text())['pid'] == os.getpid()
    claim.release()


def test_a_claim_is_renewed(tmp_path, monkeypatch):
    monkeypatch.setattr(claims, 'BEAT', 0.05)
    claim = claim_folder(tmp_path)
    os.utime(claim.path, (1, 1))
    deadline = time.monotonic() + 5
    while claim.path.stat().st_mtime < 2:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    claim.release()


@pytest.fixture
def no_locks(monkeypatch):
    """A file system without locks."""

    def refuse(*args):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, 'lockf', refuse)
    monkeypatch.setattr(claims, '_SETTLING', 0.2)


@pytest.mark.usefixtures('no_locks')
def test_without_locks_a_live_process_of_the_same_start_holds(tmp_path, other):
    with pytest.raises(ClaimedError, match=f'process {other.pid} on'):
        claim_folder(tmp_path / 'run')
    other.kill()
    other.wait()
    claim_folder(tmp_path / 'run').release()


@pytest.mark.usefixtures('no_locks')
def test_without_locks_a_later_process_of_the_same_number_holds_nothing(tmp_path):
    leave(tmp_path, host=os.uname().nodename, pid=os.getppid(), started=1)
    claim_folder(tmp_path).release()


@pytest.mark.usefixtures('no_locks')
def test_without_locks_the_last_of_two_who_write_at_once_has_it(tmp_path):
    threading.Timer(0.1, leave, [tmp_path]).start()
    with pytest.raises(ClaimedError, match='process 1 on elsewhere'):
        claim_folder(tmp_path)
    (tmp_path / CLAIM_FILE).unlink()
    claim_folder(tmp_path).release()
