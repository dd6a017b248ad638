"""Claims: one process at a time works in a folder, and a dead one holds nothing."""

import errno
import fcntl
import json
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from mmtmix.utils import claim_state, claims
from mmtmix.utils.claim_state import Watch, find_claim
from mmtmix.utils.claim_waits import wait_for_file, wait_for_folder
from mmtmix.utils.claims import (
    CLAIM_FILE,
    ClaimedError,
    claim_file,
    claim_folder,
)
from mmtmix.utils.held_claims import here
from mmtmix.utils.holder import Holder

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
    assert other.wait(60) == 0
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
def test_a_damaged_claim_holds_nothing_unless_it_is_renewed(tmp_path, monkeypatch, content):
    monkeypatch.setattr(claim_state, 'DEAD_AFTER', 0.3)
    monkeypatch.setattr(claims, '_SETTLING', 0.0)
    (tmp_path / CLAIM_FILE).write_text(content)
    claim_folder(tmp_path).release()
    (tmp_path / CLAIM_FILE).write_text(content)  # of a machine whose text is seen late
    threading.Timer(0.1, leave, [tmp_path]).start()
    with pytest.raises(ClaimedError, match='process 1 on elsewhere'):
        claim_folder(tmp_path)


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path):
    (tmp_path / 'file').touch()
    with pytest.raises(OSError, match='file.run cannot be written: .*give another folder'):
        claim_folder(tmp_path / 'file' / 'run')


def test_a_holder_on_another_machine_counts_while_it_renews_its_claim(tmp_path, monkeypatch):
    monkeypatch.setattr(claim_state, 'DEAD_AFTER', 0.5)
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
    monkeypatch.setattr(claim_state, 'DEAD_AFTER', 3.0)
    path = leave(tmp_path)
    timer = threading.Timer(0.1, os.unlink, [path])
    timer.start()
    claim = wait_for_folder(tmp_path, lambda: False, lambda line: None, poll=0.05)
    timer.join()
    assert json.loads(path.read_text())['pid'] == os.getpid()
    claim.release()


def test_a_claim_is_renewed(tmp_path, monkeypatch, wait_for):
    monkeypatch.setattr(claim_state, 'BEAT', 0.05)
    claim = claim_folder(tmp_path)
    os.utime(claim.path, (1, 1))
    wait_for(lambda: claim.path.stat().st_mtime >= 2)
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
    leave(tmp_path, **here_with(pid=os.getppid(), started=1))
    claim_folder(tmp_path).release()


def here_with(**changes):
    """Return the fields of a holder on this machine."""
    mine = Holder.here()
    return dict(host=mine.host, boot=mine.boot, namespace=mine.namespace, token='abc') | changes


@pytest.fixture
def hurried(monkeypatch):
    """Claims of other machines are dead after a third of a second."""
    monkeypatch.setattr(claim_state, 'DEAD_AFTER', 0.3)
    monkeypatch.setattr(claims, '_SETTLING', 0.0)


def test_a_later_process_of_the_same_number_holds_nothing(tmp_path):
    leave(tmp_path, **here_with(pid=os.getppid(), started=1))
    claim_folder(tmp_path, pytest.fail).release()


@pytest.mark.usefixtures('hurried')
@pytest.mark.parametrize('field', ['boot', 'namespace'])
def test_a_number_of_another_boot_or_container_proves_nothing(tmp_path, field):
    """A container with this machine's name, where process 1 << 22 does not exist."""
    path, told = leave(tmp_path, **here_with(pid=1 << 22, **{field: 'other'})), []
    threading.Timer(0.1, os.utime, [path]).start()
    with pytest.raises(ClaimedError, match='process 4194304 on'):
        claim_folder(tmp_path, told.append)
    assert 'waiting up to' in told[0]
    claim_folder(tmp_path, told.append).release()  # it is renewed no more


@pytest.mark.usefixtures('hurried')
@pytest.mark.parametrize('hours', [-1, 1])
def test_a_clock_that_is_wrong_by_an_hour_kills_nobody(tmp_path, hours):
    """Some file systems write the time of the machine that renews."""
    path = leave(tmp_path)
    os.utime(path, (time.time() + 3600 * hours,) * 2)
    renewed = time.time() + 3600 * hours + 20
    threading.Timer(0.1, os.utime, [path, (renewed, renewed)]).start()
    with pytest.raises(ClaimedError):
        claim_folder(tmp_path, lambda line: None)
    start = time.monotonic()
    claim_folder(tmp_path, lambda line: None).release()
    assert 0.2 < time.monotonic() - start < 60


def test_a_renewal_that_is_seen_late_counts(tmp_path, monkeypatch):
    """Two looks far apart, as of a process that was stopped, are no minutes of silence."""
    path, now = leave(tmp_path), [0.0]
    monkeypatch.setattr(claim_state.time, 'monotonic', lambda: now[0])
    watch, seen = Watch(), []
    for seconds in (0, 1000, 20, 20, 20, 20, 20, 20):
        now[0] += seconds
        seen.append(watch.is_working(path, find_claim(path)))
    assert seen == [None] * 8  # 140 seconds count
    assert watch.left(path) == claim_state.DEAD_AFTER - 140
    path.write_text(path.read_text() + ' ')  # and only its content shows that it was renewed
    os.utime(path, (1, 1))
    assert watch.is_working(path, find_claim(path))
    for _ in range(7):
        now[0] += 20
        assert watch.is_working(path, find_claim(path)) is None
    now[0] += 20
    assert watch.is_working(path, find_claim(path)) is False


def test_a_lock_that_other_machines_do_not_see_proves_no_death(tmp_path):
    """The lock is free here, and the holder is somewhere else."""
    leave(tmp_path)
    found = find_claim(tmp_path / CLAIM_FILE)
    assert found.is_locked is False and found.is_working is None
    os.remove(tmp_path / CLAIM_FILE)
    leave(tmp_path, **here_with(pid=os.getppid(), started=1))
    # a process of this number and another start
    assert find_claim(tmp_path / CLAIM_FILE).is_working is False


@pytest.mark.usefixtures('hurried')
def test_one_of_many_takes_over_from_a_dead_machine(tmp_path, monkeypatch):
    """Eight processes, seven of which see the dead claim for longer than it is there."""
    monkeypatch.setattr(claim_state, 'LONG_DEAD', 5.0)
    thing = tmp_path / 'thing'
    path = leave(tmp_path).rename(tmp_path / 'thing.claim')
    os.utime(path, (1, 1))
    old = find_claim(path)
    first = claim_file(thing)
    with monkeypatch.context() as patch:
        patch.setattr(here, 'claims', {})  # as another process
        # it saw the dead claim before, and comes only now to take it over
        assert claims._take_over(first.path, 'thing.claim', old, Watch()) is None
        assert sorted(each.name for each in tmp_path.iterdir()) == ['thing.claim']
    assert first.is_valid()
    first.release()
    with monkeypatch.context() as patch:
        patch.setattr(here, 'claims', {})
        assert claims._take_over(first.path, 'thing.claim', old, Watch()) is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures('hurried')
def test_a_death_in_the_middle_of_taking_over_blocks_nobody(tmp_path, monkeypatch):
    monkeypatch.setattr(claim_state, 'LONG_DEAD', 5.0)
    path = leave(tmp_path, token='one').rename(tmp_path / 'thing.claim')
    right = leave(tmp_path, token='two').rename(tmp_path / 'thing.claim.one')
    for each in (path, right):
        os.utime(each, (1, 1))
    claim = claim_file(tmp_path / 'thing')
    assert [each.name for each in tmp_path.iterdir()] == ['thing.claim']
    assert json.loads(path.read_text())['pid'] == os.getpid()
    claim.release()
    assert list(tmp_path.iterdir()) == []


def make_what_is_missing(folder, begin):
    """Make 40 files, and note each time that one is made."""
    begin.wait()
    for number in range(40):
        thing = folder / f'{number}'
        while not thing.exists():
            try:
                claim = claim_file(thing)
            except ClaimedError:
                time.sleep(0.001)
                continue
            if not thing.exists():
                with open(folder / f'made-{number}', 'a') as file:
                    file.write(f'{os.getpid()} ')
                thing.touch()
            claim.release()


def test_three_processes_at_once_make_nothing_twice(tmp_path):
    # every other one was claimed by a process that is dead
    for number in range(0, 40, 2):
        leave(tmp_path, **here_with(pid=1 << 22, started=1)).rename(tmp_path / f'{number}.claim')
    fork = multiprocessing.get_context('fork')
    begin = fork.Event()
    processes = [
        fork.Process(target=make_what_is_missing, args=(tmp_path, begin)) for _ in range(3)
    ]
    for process in processes:
        process.start()
    begin.set()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    made = [(tmp_path / f'made-{number}').read_text().split() for number in range(40)]
    assert [len(each) for each in made] == [1] * 40
    assert not list(tmp_path.glob('*.claim*'))


def test_a_claim_that_others_took_over_is_not_valid_and_is_left_to_them(tmp_path):
    claim = claim_file(tmp_path / 'thing')
    assert claim.is_valid()
    leave(tmp_path).replace(tmp_path / 'thing.claim')  # while this process was stopped
    assert not claim.is_valid()
    claim.renew()  # what others have is not touched
    claim.release()
    assert json.loads((tmp_path / 'thing.claim').read_text())['host'] == 'elsewhere'


def test_a_file_is_refused_by_its_name_and_claimed_apart_from_its_folder(tmp_path):
    folder, thing = claim_folder(tmp_path / 'run'), claim_file(tmp_path / 'run' / 'thing.bin')
    with pytest.raises(ClaimedError) as error:
        claim_file(tmp_path / 'run' / 'thing.bin')  # also by another thread of this process
    assert str(error.value).startswith(f'{tmp_path / "run" / "thing.bin"} is in use by process ')
    assert str(error.value).endswith(f'delete {tmp_path / "run" / "thing.bin.claim"}')
    thing.release()
    folder.release()
    assert not (tmp_path / 'run').exists()


def test_a_file_is_waited_for(tmp_path):
    claim, told = claim_file(tmp_path / 'thing'), []
    threading.Timer(0.2, claim.release).start()
    second = wait_for_file(tmp_path / 'thing', lambda: False, told.append, poll=0.05)
    assert second.is_valid() and len(told) == 1
    second.release()
    assert wait_for_file(tmp_path / 'thing', lambda: True) is None


def test_many_short_claims_do_not_keep_a_long_one_from_its_renewal(tmp_path, monkeypatch):
    monkeypatch.setattr(claim_state, 'BEAT', 0.1)
    claim = claim_folder(tmp_path)
    before = claim.path.read_bytes()
    deadline = time.monotonic() + 60
    while (after := claim.path.read_bytes()) == before:
        assert time.monotonic() < deadline
        claim_file(tmp_path / 'short').release()
    assert len(after) == len(before)
    assert threading.active_count() < 10
    claim.release()


def test_a_claim_that_cannot_be_written_leaves_nothing(tmp_path, monkeypatch):
    def full(*args):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, 'fsync', full)
        with pytest.raises(OSError, match=r'thing\.claim cannot be written: No space left'):
            claim_file(tmp_path / 'thing')
    assert list(tmp_path.iterdir()) == []
    claim_file(tmp_path / 'thing').release()
