"""generate() in several processes at once, which come, go, fail and are killed."""

import errno
import json
import multiprocessing
import os
import signal
from collections import Counter

import pytest

from mmtmix.apps.generate import folder as folder_module
from mmtmix.apps.generate import generate
from mmtmix.apps.generate.folder import SetFolder
from mmtmix.datasets import MixedImages
from mmtmix.datasets.mixed_shards import shard_name
from mmtmix.utils import claims
from mmtmix.utils.claims import claim_file

pytestmark = pytest.mark.host

FORK = multiprocessing.get_context('fork')  # a new interpreter would import for seconds
REFUSED, FULL = 3, 4


def content(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture(scope='module')
def whole(tmp_path_factory, make_cfg, forget_runs):
    """The content of a set of 14 mixes in shards of 2, made by one process."""
    forget_runs()
    folder = tmp_path_factory.mktemp('whole') / 'set'
    generate(make_cfg(shard_size=2), folder, 'cpu')
    return content(folder)


def note_writes(log, both=None):
    """Write the numbers of the shards that a process writes to a file.

    Each process waits at the barrier ``both`` before its first shard.
    """
    write, is_first = SetFolder.write, [both is not None]

    def noted(self, number, *args):
        if is_first[0]:
            is_first[0] = False
            both.wait(120)
        write(self, number, *args)
        with open(log, 'a') as file:
            file.write(f'{number} {os.getpid()}\n')

    return noted


def work(cfg, folder, log, writes=None, begin=None):
    """Make a set in a forked process; ``writes`` replaces how it writes a shard."""
    SetFolder.write = writes or note_writes(log)
    if begin is not None:
        begin.wait()
    try:
        generate(cfg, folder, 'cpu', shows_progress=False)
    except ValueError:
        os._exit(REFUSED)
    except OSError as error:
        print(error, flush=True)
        os._exit(FULL)


def start(*args, **kwargs):
    process = FORK.Process(target=work, args=args, kwargs=kwargs)
    process.start()
    return process


def end(process, code=0):
    process.join(120)
    assert process.exitcode == code


def made(log):
    return [line.split() for line in log.read_text().splitlines()]


def test_three_processes_one_of_them_late_make_the_same_set(whole, make_cfg, tmp_path, wait_for):
    folder, log = tmp_path / 'set', tmp_path / 'log'
    cfg, with_workers = make_cfg(shard_size=2), make_cfg(shard_size=2)
    with_workers.train_dataloader.num_workers = 1
    both = FORK.Barrier(2)  # one alone could make all of these few shards
    processes = [start(each, folder, log, note_writes(log, both)) for each in (cfg, with_workers)]
    wait_for(log)
    processes.append(start(cfg, folder, log))
    for process in processes:
        end(process)
    assert content(folder) == whole
    assert Counter(number for number, _ in made(log)) == Counter(map(str, range(7)))
    assert len({process for _, process in made(log)}) > 1
    # one that comes when all is done changes nothing
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    end(start(cfg, folder, log))
    assert before == {path: path.stat().st_mtime_ns for path in folder.iterdir()}


def test_the_shard_of_a_killed_process_is_made_by_another(whole, make_cfg, tmp_path):
    folder, log = tmp_path / 'set', tmp_path / 'log'

    def die(self, number, *args):
        (self.path / f'.shard-0000{number}.half.safetensors').write_bytes(b'half')
        os.kill(os.getpid(), signal.SIGKILL)

    end(start(make_cfg(shard_size=2), folder, log, die), -signal.SIGKILL)
    left = ['.shard-00000.half.safetensors', 'settings.json', f'{shard_name(0)}.claim']
    assert sorted(content(folder)) == left
    end(start(make_cfg(shard_size=2), folder, log))
    assert content(folder) == whole


def test_one_fails_and_the_others_make_its_shards(whole, make_cfg, tmp_path, capfd):
    folder, log = tmp_path / 'set', tmp_path / 'log'
    write = SetFolder.write

    def fail(self, *args):
        folder_module.atomic_path = full
        write(self, *args)

    def full(path):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    begin = FORK.Event()
    failing = start(make_cfg(shard_size=2), folder, log, fail, begin)
    others = [start(make_cfg(shard_size=2), folder, log, begin=begin)]
    begin.set()
    end(failing, FULL)
    end(others[0])
    assert 'of 7 shards are complete, this one takes' in capfd.readouterr().out
    assert content(folder) == whole
    assert Counter(number for number, _ in made(log)) == Counter(map(str, range(7)))


def test_shards_of_one_image_by_two_processes(make_cfg, tmp_path):
    cfg, log = make_cfg(num=5, shard_size=1), tmp_path / 'log'
    begin = FORK.Event()
    processes = [start(cfg, tmp_path / 'two', log, begin=begin) for _ in range(2)]
    begin.set()
    for process in processes:
        end(process)
    assert len(made(log)) == 5
    end(start(cfg, tmp_path / 'one', log))
    assert content(tmp_path / 'one') == content(tmp_path / 'two')


def test_of_two_settings_at_once_one_wins(make_cfg, tmp_path):
    begin = FORK.Event()
    processes = [
        start(make_cfg(seed=seed), tmp_path / 'set', tmp_path / 'log', begin=begin)
        for seed in (0, 1)
    ]
    begin.set()
    for process in processes:
        process.join(120)
    assert sorted(process.exitcode for process in processes) == [0, REFUSED]
    (winner,) = (seed for seed, process in enumerate(processes) if process.exitcode == 0)
    settings = json.loads((tmp_path / 'set/dataset.json').read_text())['settings']
    assert settings['seed'] == winner


def test_a_listing_that_lags_makes_no_shard_twice(whole, make_cfg, tmp_path, monkeypatch):
    folder, log = tmp_path / 'set', tmp_path / 'log'
    end(start(make_cfg(shard_size=2), folder, log))
    for name in ('dataset.json', shard_name(6)):
        (folder / name).unlink()
    missing, looks = SetFolder.missing, []

    def late(self):
        looks.append(1)
        return list(range(7)) if len(looks) == 1 else missing(self)

    monkeypatch.setattr(SetFolder, 'missing', late)
    end(start(make_cfg(shard_size=2), folder, log))
    assert Counter(number for number, _ in made(log))['6'] == 2
    assert len(made(log)) == 8
    assert content(folder) == whole


@pytest.mark.parametrize('is_there', [False, True])
def test_a_process_that_lost_its_shard_while_it_was_stopped_writes_nothing(
    whole, make_cfg, tmp_path, monkeypatch, is_there
):
    """Others, on another machine, took its claim over, and have made the shard or not."""
    folder = tmp_path / 'set'
    call, stolen = folder_module.ClaimQueue.finish, []

    def steal(self, number, make):
        if number == 3 and not stolen:
            stolen.append(self._claims[number].path)
            other = dict(host='elsewhere', pid=1, started=5, command='x', since='monday')
            (folder / 'other').write_text(json.dumps(other))
            os.replace(folder / 'other', stolen[0])
            os.utime(stolen[0], (1, 1))  # and died long ago
            if is_there:
                (folder / shard_name(3)).write_bytes(whole[shard_name(3)])
        return call(self, number, make)

    monkeypatch.setattr(folder_module.ClaimQueue, 'finish', steal)
    monkeypatch.setattr(claims, '_SETTLING', 0.0)
    generate(make_cfg(shard_size=2), folder, 'cpu')
    assert stolen and content(folder) == whole


def test_an_unfinished_set_names_who_works_on_it(make_folder):
    folder = make_folder()
    claim = claim_file(folder.shard_path(1))
    who = f'0 of 3 shards are there, 1 in work by process {os.getpid()} on {os.uname().nodename}'
    with pytest.raises(FileNotFoundError, match=who):
        len(MixedImages(folder.path))
    claim.release()
    # the dead are not named
    process = FORK.Process(target=claim_file, args=[folder.shard_path(1)])
    process.start()
    end(process)
    assert folder.path.joinpath(f'{shard_name(1)}.claim').exists()
    with pytest.raises(FileNotFoundError, match='0 of 3 shards are there. Run the same command'):
        len(MixedImages(folder.path))
