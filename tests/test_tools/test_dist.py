"""tools/dist_*.sh: two processes on gloo learn one mixer and draw each their own mixes."""

import json
import os
import shutil
import sys
import time
from pathlib import Path

import pytest
import torch

from mmtmix.engine.run_record import read_record
from mmtmix.utils import load_checkpoint

ROOT = Path(__file__).resolve().parents[2]
TRAIN = ROOT / 'tools' / 'dist_train.sh'
TEST = ROOT / 'tools' / 'dist_test.sh'
JOB = 'configs/transformmix/tiny.py'
WORK = Path('work_dirs')
STAGES = {
    WORK / 'simple' / 'teacher': 32,
    WORK / 'transformmix' / 'search_tiny': 32,
    WORK / 'transformmix' / 'tiny': 32,
}

pytestmark = pytest.mark.skipif(torch.cuda.is_available(), reason='runs on gloo without GPUs')


def seen_by_ranks(folder, stage):
    return [json.loads((folder / stage / f'rank{rank}.json').read_text()) for rank in range(2)]


@pytest.fixture(scope='module')
def trained(tmp_path_factory, write_job, spawn):
    """The main job on two processes: its folder and what it printed."""
    folder = tmp_path_factory.mktemp('dist')
    write_job(folder, hooks=('Sabotage', 'Witness'), batch_size=8)
    done = spawn(folder, TRAIN, JOB, '2')
    assert done.returncode == 0, done.stdout[-3000:]
    return folder, done.stdout


@pytest.mark.parametrize('stage', STAGES, ids=str)
def test_ranks_hold_the_same_weights_after_every_step(trained, stage):
    first, second = (seen['checksums'] for seen in seen_by_ranks(trained[0], stage))
    assert first == second
    assert len(set(first)) == len(first) == STAGES[stage]


@pytest.mark.parametrize('stage', list(STAGES)[1:], ids=str)
def test_each_rank_draws_its_own_weights_and_partners(trained, stage):
    for name in ('draw_weights', 'draw_index'):
        first, second = (seen[name] for seen in seen_by_ranks(trained[0], stage))
        assert len(first) == len(second) == STAGES[stage]
        assert all(mine != yours for mine, yours in zip(first, second, strict=True))


def test_files_are_written_once_by_the_main_process(trained):
    for stage, product in zip(STAGES, ('last.pth', 'mixer.pth', 'last.pth'), strict=True):
        main, other = (seen['replace'] for seen in seen_by_ranks(trained[0], stage))
        assert main.count(product) == 1
        assert not {'last.pth', 'mixer.pth'} & set(other)
        assert (trained[0] / stage / product).is_file()
        assert not [file for file in (trained[0] / stage).iterdir() if file.name[0] == '.']


def test_stages_are_told_once(trained):
    lines = [line for line in trained[1].splitlines() if line.startswith('[stage')]
    assert len(lines) == 6
    assert all('started' in line for line in lines[::2])
    assert all('done' in line for line in lines[1::2])


def test_records_have_the_processes_and_what_they_change(trained):
    change = '2 processes with a whole batch each'
    teacher, search, last = (read_record(trained[0] / stage) for stage in STAGES)
    assert teacher['changes'] == [change]
    assert last['changes'] == sorted(
        [change, f'simple/teacher: {change}', f'transformmix/search_tiny: {change}']
    )
    for record in (teacher, search, last):
        assert (record['processes'], record['divide_batch']) == (2, False)
        assert (record['state'], record['progress']) == ('done', [32, 32])


@pytest.fixture(scope='module')
def restarted(trained, tmp_path_factory, spawn):
    """The last stage again, with rank 1 killed after the first of its two epochs."""
    folder = tmp_path_factory.mktemp('restarted')
    last = WORK / 'transformmix' / 'tiny'
    shutil.copytree(trained[0], folder, dirs_exist_ok=True)
    shutil.rmtree(folder / last)
    # what an earlier launch has left, which no restart may continue from
    (folder / last).mkdir()
    shutil.copy(trained[0] / last / 'epoch_2.pth', folder / last / 'epoch_9.pth')
    (folder / last / 'last_checkpoint').write_text(str(folder / last / 'epoch_9.pth'))
    # an environment that is not activated
    path = os.pathsep.join(
        each
        for each in os.environ['PATH'].split(os.pathsep)
        if each != str(Path(sys.executable).parent)
    )
    settings = dict(SABOTAGE='tiny 1 1 kill', MAX_RESTARTS='1', PYTHON=sys.executable, PATH=path)
    done = spawn(folder, TRAIN, JOB, '2', **settings)
    assert done.returncode == 0, done.stdout[-3000:]
    return folder / last, done.stdout


def test_killed_rank_restarts_all_which_continue_from_their_newest_checkpoint(restarted, trained):
    folder, printed = restarted
    (line,) = [line for line in printed.splitlines() if 'were restarted' in line]
    assert line.endswith('epoch_1.pth')
    straight = trained[0] / WORK / 'transformmix' / 'tiny'
    for rank in range(2):
        seen, wanted = (
            json.loads((place / f'rank{rank}.json').read_text()) for place in (folder, straight)
        )
        # the first attempt was killed before it wrote down its 16 steps
        assert seen['checksums'] == wanted['checksums'][16:]
        assert seen['draw_weights'] == wanted['draw_weights'][16:]
    after, before = (load_checkpoint(place / 'last.pth') for place in (folder, straight))
    torch.testing.assert_close(after['state_dict'], before['state_dict'], rtol=0, atol=0)
    assert not (folder / 'claim.json').exists()


def test_one_process_continues_what_two_began_with_the_same_total_batch(restarted, run_tool):
    folder = restarted[0].parents[2]
    stage = WORK / 'transformmix' / 'tiny'
    for name in ('epoch_2.pth', 'epoch_9.pth', 'last.pth'):
        (folder / stage / name).unlink()
    (folder / stage / 'last_checkpoint').write_text(str(folder / stage / 'epoch_1.pth'))
    options = ['--resume', '--cfg-options', 'train_dataloader.batch_size=16']
    run_tool('train', folder, JOB, *options)
    seen = json.loads((folder / stage / 'rank0.json').read_text())
    assert len(seen['checksums']) == 16
    # it is no run of one process alone
    change = 'simple/teacher: 2 processes with a whole batch each'
    assert change in read_record(folder / stage)['changes']
    log = max((folder / stage).glob('*/*.log')).read_text()
    assert 'images per step' not in log
    assert (folder / stage / 'last.pth').is_file()


def test_dist_test_writes_the_metrics_that_training_and_one_process_have(trained, spawn, run_tool):
    folder, stage = trained[0], WORK / 'transformmix' / 'tiny'
    checkpoint = stage / 'last.pth'
    done = spawn(folder, TEST, JOB, checkpoint, '2', '--out', 'm.json')
    assert done.returncode == 0, done.stdout[-3000:]
    run_tool('test', folder, JOB, checkpoint, '--out', 'alone.json')
    metrics, alone = (json.loads((folder / f'{name}.json').read_text()) for name in ('m', 'alone'))
    assert metrics == alone
    assert metrics.keys() == {'accuracy/top1'}
    (log,) = (folder / stage).glob('*/vis_data/scalars.json')
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    validated = [line['accuracy/top1'] for line in lines if 'accuracy/top1' in line]
    assert validated[-1] == metrics['accuracy/top1']


def test_failing_rank_ends_all_with_its_message(tmp_path, write_job, spawn):
    write_job(tmp_path)
    start = time.time()
    done = spawn(tmp_path, TRAIN, JOB, '2', SABOTAGE='teacher 1 1 raise')
    assert done.returncode != 0
    assert 'RuntimeError: sabotage on rank 1' in done.stdout
    (log,) = (tmp_path / WORK / 'simple' / 'teacher').glob('*/*.log')
    assert 'Saving checkpoint at 1 epochs' in log.read_text()
    # the other rank waits in an all-reduce, which by itself would take half an hour to give up
    assert time.time() - max(start, log.stat().st_mtime) < 60
    assert not (tmp_path / WORK / 'simple' / 'teacher' / 'last.pth').exists()
