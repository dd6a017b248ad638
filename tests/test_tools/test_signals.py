"""SIGTERM and Ctrl-C end a tool by a line that says what is saved and how to go on."""

import os
import signal
import sys
from pathlib import Path

import pytest

from mmtmix.apps.generate import folder as folder_module
from mmtmix.engine.run_record import read_record
from mmtmix.utils import load_checkpoint, run_command

pytestmark = pytest.mark.host

ROOT = Path(__file__).resolve().parents[2]
TRAIN = ROOT / 'tools' / 'train.py'
TEACHER = 'configs/simple/teacher.py'
SMALL = ('--no-validate', '--cfg-options', 'train_dataloader.dataset.indices=64')
SET = 'configs/supermix/generate_wrn16_fashionmnist_mini.py'


@pytest.fixture(autouse=True)
def _ctrl_c():
    """Ctrl-C as in a terminal: a shell starts commands in the background without it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_a_terminated_training_saves_and_says_how_to_go_on(
    tmp_path, write_job, spawn, load, monkeypatch, capfd
):
    write_job(tmp_path)
    ended = spawn(tmp_path, sys.executable, TRAIN, TEACHER, *SMALL, SABOTAGE='teacher 0 0 term')
    assert ended.returncode == 128 + signal.SIGTERM, ended.stdout[-3000:]
    work_dir = Path('work_dirs/simple/teacher')
    again = f'{os.path.relpath(TRAIN, tmp_path)} {TEACHER} {" ".join(SMALL)} --resume'
    assert ended.stdout.splitlines()[-1] == (
        f'train.py: stopped by SIGTERM; after epoch 1; saved is {work_dir}/epoch_1.pth; '
        f'to go on: python {again}'
    )
    assert 'Traceback' not in ended.stdout
    assert not (tmp_path / work_dir / 'last.pth').exists()
    record = read_record(tmp_path / work_dir)
    assert (record['state'], record['error']) == ('stopped', 'stopped by SIGTERM')
    assert record['changes'] == ['--no-validate'] and record['progress'] == [4, 8]

    # the same launch, as the line has it, is stopped by Ctrl-C and taken up once more
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(Path(__file__).parent / 'modules'))
    main = load('train').main
    with monkeypatch.context() as patch:
        patch.setenv('SABOTAGE', 'teacher 1 0 int')
        assert run_command(main, 'train.py', [TEACHER, *SMALL, '--resume']) == 130
    line = capfd.readouterr().err.splitlines()[-1]
    assert line.startswith(f'train.py: stopped by SIGINT; saved is {work_dir}/epoch_1.pth; to go')
    assert run_command(main, 'train.py', [TEACHER, *SMALL, '--resume']) == 0
    assert load_checkpoint(work_dir / 'last.pth')['meta']['epoch'] == 2
    done = read_record(work_dir)
    assert (done['state'], done['attempts'], done['progress']) == ('done', 3, [8, 8])
    assert (done['started'], done['digest']) == (record['started'], record['digest'])
    assert done['seconds'] > record['seconds']


def test_a_set_that_was_stopped_counts_its_shards(
    tmp_path, write_supermix, load, monkeypatch, capfd
):
    write_supermix(tmp_path)
    monkeypatch.chdir(tmp_path)
    main, made = load('generate_mixed').main, []
    pack = folder_module.pack_shard

    def stop_at_the_third(*args, **kwargs):
        made.append(args)
        if len(made) == 3:
            os.kill(os.getpid(), signal.SIGTERM)
        return pack(*args, **kwargs)

    monkeypatch.setattr(folder_module, 'pack_shard', stop_at_the_third)
    arguments = [SET, '--num', '10', '--out', 'set']
    assert run_command(main, 'generate_mixed.py', arguments) == 128 + signal.SIGTERM
    line = capfd.readouterr().err.splitlines()[-1]
    assert line.startswith('generate_mixed.py: stopped by SIGTERM; 2 of 5 shards are there in set')
    assert line.endswith(f'to go on: mmtmix generate {SET} --num 10 --out set')
    monkeypatch.setattr(folder_module, 'pack_shard', pack)
    assert run_command(main, 'generate_mixed.py', arguments) == 0
    assert Path('set/dataset.json').exists()
