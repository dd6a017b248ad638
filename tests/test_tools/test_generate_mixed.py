"""tools/generate_mixed.py as a user runs it: killed, shared, on a full disk, and damaged sets."""

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from mmtmix.datasets.mixed_shards import ShardReader, shard_name
from mmtmix.utils import allocator

pytestmark = pytest.mark.host

ROOT = Path(__file__).resolve().parents[2]
TOOL = ROOT / 'tools' / 'generate_mixed.py'
SCRIPT = ROOT / 'tools' / 'dist_generate.sh'
CONFIG = 'configs/supermix/generate_wrn16_fashionmnist_mini.py'
DEFAULT_OUT = 'work_dirs/supermix/generate_wrn16_fashionmnist_mini'
NUM, NUM_SHARDS = 60, 30
SET = ('--num', NUM, '--seed', 3, '--device', 'cpu')
KILLS = 2


def content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.fixture(scope='module')
def job(tmp_path_factory, write_supermix):
    """A folder with the configs and a teacher."""
    folder = tmp_path_factory.mktemp('generate')
    write_supermix(folder)
    return folder


@pytest.fixture(scope='module')
def whole(job, spawn):
    """An unbroken run with everything: the folder of the set, and what was printed."""
    done = spawn(job, sys.executable, TOOL, CONFIG, *SET, '--images', '--verify')
    assert done.returncode == 0, done.stdout[-3000:]
    return job / DEFAULT_OUT, done.stdout


@pytest.fixture
def copied(whole, tmp_path):
    """A copy of the set, without its pictures."""
    folder = tmp_path / 'copied'
    return Path(shutil.copytree(whole[0], folder, ignore=shutil.ignore_patterns('images')))


def test_a_run_says_how_far_it_is_and_that_all_is_good(whole):
    folder, printed = whole
    assert f'0 of {NUM} mixed images are in {DEFAULT_OUT}' in printed
    assert printed.count('keeps freed blocks') == allocator._uses_glibc()
    made = [int(number) for number in re.findall(rf'(\d+) of {NUM} mixed images, ', printed)]
    assert made == list(range(2, NUM + 1, 2))
    assert re.search(rf'is complete: {NUM} images of \d+ mixes, [\d.]+ % of them fini', printed)
    assert f'{DEFAULT_OUT}/dataset.json: every record is good' in printed
    last = f'the set in {DEFAULT_OUT} is complete: {NUM_SHARDS} shards, {NUM} images'
    assert printed.splitlines()[-1] == last
    shards = [shard_name(number) for number in range(NUM_SHARDS)]
    assert sorted(content(folder)) == ['dataset.json', 'settings.json', *shards]


def test_arguments_win_over_the_config(whole):
    settings = json.loads((whole[0] / 'dataset.json').read_text())['settings']
    wanted = dict(num=NUM, seed=3, shard_size=2, batch_size=8, keep='finished')
    assert {name: settings[name] for name in wanted} == wanted


def test_pictures_are_what_is_stored(whole):
    folder, printed = whole
    assert f'pictures are in {DEFAULT_OUT}/images' in printed
    pictures = sorted((folder / 'images').glob('shard-*/*.png'))
    assert len(pictures) == NUM
    for number in (0, 5):
        name = pictures[number].relative_to(folder / 'images').as_posix()
        assert re.fullmatch(rf'shard-0000{number // 2}/0000{number % 2}_[\w-]+\+[\w-]+\.png', name)
        reader = ShardReader(folder / shard_name(number // 2))
        assert pictures[number].read_bytes() == reader.png(number % 2)


def test_an_altered_byte_is_status_1_and_the_name_of_the_shard(job, copied, run_tool, capsys):
    path = copied / shard_name(7)
    data = bytearray(path.read_bytes())
    data[-100] ^= 1
    path.write_bytes(data)
    status, printed = run_tool('generate_mixed', job, CONFIG, *SET, '--verify', '--out', copied)
    assert status == 1
    told = printed + capsys.readouterr().err
    assert f'{path}: ' in told and 'has been altered' in told
    assert 'dataset.json: 1 problems' in told


@pytest.mark.parametrize('place', [0.0, 0.1, 0.3, 0.5, 0.7, 0.9])
def test_no_byte_of_a_shard_can_be_altered_unseen(job, copied, run_tool, capsys, place):
    path = copied / shard_name(11)
    data = bytearray(path.read_bytes())
    data[int(place * len(data))] ^= 4
    path.write_bytes(data)
    try:
        status, _ = run_tool('generate_mixed', job, CONFIG, *SET, '--verify', '--out', copied)
        assert status == 1
        assert f'{path}: ' in capsys.readouterr().err
    except ValueError as error:  # of a header that says nothing of the set
        assert str(path) in str(error)


def test_what_is_deleted_is_made_again_and_other_settings_are_refused(
    job, whole, copied, run_tool
):
    for name in (shard_name(4), shard_name(29), 'dataset.json'):
        (copied / name).unlink()
    status, _ = run_tool('generate_mixed', job, CONFIG, *SET, '--out', copied)
    assert status == 0
    assert content(copied) == content(whole[0])
    other = ('--num', NUM, '--seed', 4, '--batch-size', 16, '--keep-unfinished')
    with pytest.raises(ValueError, match='generated otherwise') as error:
        run_tool('generate_mixed', job, CONFIG, *other, '--out', copied)
    for line in ('seed: 3 there, 4', 'batch_size: 8 there, 16', "keep: 'finished' there, 'all'"):
        assert line in str(error.value)
    assert content(copied) == content(whole[0])


def start_and_kill(folder, out, num):
    """Start the tool, and kill it some time after it has made ``num`` images of the set."""
    env = dict(os.environ, PYTHONPATH=str(ROOT), OMP_NUM_THREADS='1')
    command = [sys.executable, TOOL, CONFIG, *SET, '--out', out]
    with subprocess.Popen(
        [str(part) for part in command],
        cwd=folder,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        for line in process.stdout:
            made = re.search(rf'(\d+) of {NUM} mixed images, ', line)
            if made and int(made[1]) >= num:
                break
        time.sleep(random.Random(num).uniform(0, 0.05))  # somewhere in the next shards
        process.kill()
        rest = process.stdout.read()
    assert process.returncode == -signal.SIGKILL, f'it ended before it was killed: {rest}'


def test_killed_at_random_moments_the_set_is_that_of_an_unbroken_run(job, whole, tmp_path, spawn):
    out, made = tmp_path / 'killed', []
    for number in range(KILLS):
        start_and_kill(job, out, 2 + 20 * number)
        made.append(len(list(out.glob('shard-*.safetensors'))))
    assert 0 < made[0] < made[1] < NUM_SHARDS
    done = spawn(job, sys.executable, TOOL, CONFIG, *SET, '--out', out)
    assert done.returncode == 0, done.stdout[-3000:]
    assert f'{2 * made[-1]} of {NUM} mixed images are in' in done.stdout
    # and no temporary is left
    assert content(out) == content(whole[0])


STUB = """#!/bin/sh
# in the place of python: one process fails, one is killed, the others wait for a signal
echo "$RANK $LOCAL_RANK $OMP_NUM_THREADS $*"
trap 'echo "stopped $RANK"; exit 143' TERM
case "$MODE $RANK" in
  'end 1') exit 3 ;;
  'end 2') kill -9 $$ ;;
  'wait '*) touch "begun$RANK"; while :; do sleep 0.05; done ;;
esac
sleep 0.3
echo "done $RANK"
"""


@pytest.fixture
def stub(tmp_path):
    """A program that stands in for python."""
    path = tmp_path / 'stub.sh'
    path.write_text(STUB)
    path.chmod(0o755)
    return path


def test_the_script_waits_for_all_and_returns_the_worst_status(tmp_path, stub, spawn):
    words = ('config.py', '4', '--out', 'a set')
    done = spawn(tmp_path, SCRIPT, *words, PYTHON=str(stub), MODE='end', OMP_NUM_THREADS='2')
    assert done.returncode == 128 + signal.SIGKILL
    lines = done.stdout.splitlines()
    for rank in range(4):
        command = '-m mmtmix generate config.py --launcher pytorch --out a set'
        assert f'{rank} {rank} 2 {command}' in lines
    assert [f'done {rank}' in lines for rank in range(4)] == [True, False, False, True]


@pytest.mark.parametrize('signum', [signal.SIGTERM, signal.SIGINT])
def test_the_script_forwards_signals_and_waits(tmp_path, stub, signum, wait_for):
    env = dict(os.environ, PYTHON=str(stub), MODE='wait')
    with subprocess.Popen(
        [SCRIPT, 'config.py', '2'],
        cwd=tmp_path,
        env=env,
        stdout=subprocess.PIPE,
        text=True,
        # where the tests run in the background, SIGINT is ignored, and a script can't trap it
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        wait_for(lambda: len(list(tmp_path.glob('begun*'))) == 2)
        process.send_signal(signum)
        printed = process.stdout.read()
    assert process.returncode == 128 + signal.SIGTERM
    assert 'stopped 0' in printed and 'stopped 1' in printed


@pytest.mark.skipif(torch.cuda.is_available(), reason='two processes would want two GPUs')
def test_one_of_two_processes_is_killed_and_the_set_is_the_same(job, whole, tmp_path):
    out = tmp_path / 'shared'
    env = dict(os.environ, PYTHONPATH=str(ROOT), OMP_NUM_THREADS='1', PYTHON=sys.executable)
    command = [SCRIPT, CONFIG, '2', *SET, '--out', out, '--verify']
    with subprocess.Popen(
        [str(part) for part in command],
        cwd=job,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        for line in process.stdout:
            if f' of {NUM} mixed images' in line:  # the first one; both processes make them
                break
        children = Path(f'/proc/{process.pid}/task/{process.pid}/children').read_text().split()
        os.kill(int(children[0]), signal.SIGKILL)
        printed = process.stdout.read()
    assert process.returncode == 128 + signal.SIGKILL, printed[-3000:]
    assert content(out) == content(whole[0])


def test_a_launcher_that_has_set_nothing_is_refused(job, tmp_path, run_tool, monkeypatch):
    monkeypatch.delenv('RANK', raising=False)
    with pytest.raises(ValueError, match="--launcher pytorch: RANK must be a number >= 0, got ''"):
        run_tool('generate_mixed', job, CONFIG, '--out', tmp_path / 'no', '--launcher', 'pytorch')
    assert not (tmp_path / 'no').exists()


def test_a_set_is_exported_by_the_command_that_made_it(job, copied, tmp_path, run_tool, capsys):
    export = ('--export', 'webdataset', '--export-dir', tmp_path / 'tars')
    status, printed = run_tool('generate_mixed', job, CONFIG, *SET, '--out', copied, *export)
    assert status == 0
    assert f'the export is in {tmp_path / "tars"}' in printed
    names = sorted(content(tmp_path / 'tars'))
    tars = [f'shard-{number:05d}.tar' for number in range(NUM_SHARDS)]
    assert names == ['description.json', 'export.json', *tars]
    # refused before a mix is made
    fresh = ('--out', tmp_path / 'no')
    with pytest.raises(ValueError, match=r"is not empty, it holds 'dataset\.json'"):
        run_tool('generate_mixed', job, CONFIG, *SET, *fresh, *export[:3], copied)
    assert not (tmp_path / 'no').exists()
    with pytest.raises(SystemExit):
        run_tool('generate_mixed', job, CONFIG, *SET, *fresh, *export[2:])
    assert '--export-dir needs --export' in capsys.readouterr().err


def test_a_stray_environment_is_no_launch(job, copied, whole, run_tool, monkeypatch):
    for name, value in (('RANK', '1'), ('WORLD_SIZE', '8'), ('LOCAL_RANK', '1')):
        monkeypatch.setenv(name, value)
    for number in (0, 3, 8):
        (copied / shard_name(number)).unlink()
    (copied / 'dataset.json').unlink()
    status, _ = run_tool('generate_mixed', job, CONFIG, *SET, '--out', copied)
    assert status == 0
    assert content(copied) == content(whole[0])


def test_a_task_of_slurm_makes_what_is_missing_and_leaves_the_progress_to_the_first(
    job, copied, whole, run_tool, monkeypatch
):
    for name, value in (('SLURM_PROCID', '3'), ('SLURM_LOCALID', '1'), ('SLURM_NTASKS', '4')):
        monkeypatch.setenv(name, value)
    (copied / shard_name(3)).unlink()
    (copied / 'dataset.json').unlink()
    status, printed = run_tool('generate_mixed', job, CONFIG, *SET, '--out', copied)
    assert status == 0 and 'mixed images' not in printed
    assert content(copied) == content(whole[0])


def test_the_script_without_arguments_says_how_to_use_it(tmp_path, spawn):
    done = spawn(tmp_path, SCRIPT)
    assert done.returncode == 2
    usage = done.stdout.splitlines()
    assert len(usage) == 4
    assert usage[1].strip().startswith('tools/dist_generate.sh CONFIG N')


SMALL_DISK = """
import resource, runpy, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
sys.argv = sys.argv[2:]
runpy.run_path(sys.argv[0], run_name='__main__')
"""


def test_a_full_disk_is_said_and_a_later_run_completes_the_set(
    job, whole, copied, spawn, run_tool
):
    sizes = {shard: len(data) for shard, data in content(whole[0]).items() if 'shard' in shard}
    limit = max(sizes.values()) - 1  # not every shard fits
    for name in (*sizes, 'dataset.json'):
        if name != shard_name(0):
            (copied / name).unlink()
    command = (sys.executable, '-c', SMALL_DISK, limit, TOOL, CONFIG, *SET, '--out', copied)
    done = spawn(job, *command)
    assert done.returncode == 2
    first = next(name for name in sorted(sizes)[1:] if sizes[name] > limit)
    there = sorted(sizes).index(first)
    # coverage, where it measures, may complain of the full disk after it
    lines = done.stdout.strip().splitlines()
    (message,) = (line for line in lines if line.startswith('generate_mixed.py: error: '))
    assert f'{copied / first} cannot be written: File too large; ' in message
    told = f'{there} of {NUM_SHARDS} shards are complete, this one takes {sizes[first]:,} bytes'
    assert told in message
    assert sorted(content(copied)) == ['settings.json', *sorted(sizes)[:there]]
    run_tool('generate_mixed', job, CONFIG, *SET, '--out', copied)
    assert content(copied) == content(whole[0])
