"""The records that `train` writes for its stages, and what it refuses because of them."""

import argparse
import json
import shutil
from pathlib import Path

import pytest
from mmengine.runner import Runner

from mmtmix.apps.reproduce import Cell, State, runs_of
from mmtmix.apps.train.command import changes_of
from mmtmix.engine.digest import changed_digest, run_digest
from mmtmix.engine.run_record import RECORD, read_record
from mmtmix.engine.stage_records import StageRecords
from mmtmix.engine.stages import Stage, plan_stages
from mmtmix.utils import load_checkpoint, load_config

pytestmark = pytest.mark.host

JOB = 'configs/transformmix/tiny.py'
TEACHER = 'configs/simple/teacher.py'
WORK = Path('work_dirs')
FOLDERS = (WORK / 'simple/teacher', WORK / 'transformmix/search_tiny', WORK / 'transformmix/tiny')
CONFIGS = (TEACHER, 'configs/transformmix/search_tiny.py', JOB)


def digest(config, **options):
    return run_digest(plan_stages(config, load_config(config, options)))


@pytest.fixture
def copied(main_job, tmp_path, monkeypatch):
    """The finished job, without its logs, in a folder of the test."""
    shutil.copytree(main_job[0], tmp_path, ignore=shutil.ignore_patterns('2*'), dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(Path(__file__).parent / 'modules'))
    return tmp_path


@pytest.fixture
def never_runs(monkeypatch):
    """A launch that would begin a stage ends with another error than the one expected."""
    monkeypatch.setattr(Runner, 'train', None)


def test_every_stage_leaves_a_record(copied):
    for folder, config in zip(FOLDERS, CONFIGS, strict=True):
        record = read_record(folder)
        assert (record['state'], record['error'], record['attempts']) == ('done', None, 1)
        assert record['config'] == config
        assert record['digest'] == digest(config)
        meta = load_checkpoint(folder / 'epoch_2.pth')['meta']
        assert (record['seed'], record['precision']) == (0, meta['precision'])
        assert record['progress'] == [32, 32]
        assert (record['variants'], record['options'], record['changes']) == ({}, [], [])
        assert (record['processes'], record['divide_batch']) == (1, False)
        assert record['seconds'] > 0


def test_a_finished_training_that_is_resumed_keeps_its_record(copied, run_tool):
    before = [Path(folder, RECORD).read_bytes() for folder in FOLDERS]
    _, printed = run_tool('train', copied, JOB, '--resume')
    assert 'resumed epoch: 2' in (copied / max(FOLDERS[2].glob('2*/*.log'))).read_text()
    assert [Path(folder, RECORD).read_bytes() for folder in FOLDERS] == before
    assert 'no run.json' not in printed


def test_a_run_counts_wherever_it_was_made(copied):
    cell = Cell('a/1/row/column', config=JOB)
    run, other = runs_of(cell, (0, 1), 'elsewhere')
    assert run.state is State.NOT_RUN
    for each in (run, other):
        shutil.copytree(FOLDERS[2], each.folder)
    assert run.state is State.DONE
    assert other.state is State.OTHER_SEED
    assert runs_of(cell, (0,), 'elsewhere', gpus=2)[0].state is State.OTHER_PROCESSES
    options = Cell('a/1/row/column', config=JOB, options={'train_cfg.max_epochs': 3})
    (longer,) = runs_of(options, (0,), 'elsewhere')
    shutil.copytree(FOLDERS[2], longer.folder)
    assert longer.state is State.OUTDATED


@pytest.mark.usefixtures('never_runs')
def test_a_file_of_another_run_is_refused_before_anything_runs(copied, run_tool):
    """The teacher's config changed after the teacher was made; so did what was made with it."""
    path = Path(TEACHER)
    made = digest(TEACHER)
    path.write_text(path.read_text().replace('lr=0.05', 'lr=0.06'))
    wanted = digest(TEACHER)
    assert made != wanted
    with pytest.raises(ValueError) as error:
        run_tool('train', copied, JOB)
    text = str(error.value)
    for part in (
        'work_dirs/simple/teacher/last.pth was made by another run than the one that is required',
        f'digest: {made} there, {wanted} required; a config or what it requires was changed',
        'move work_dirs/simple/teacher away, or give `produces` another folder',
        'work_dirs/transformmix/search_tiny/mixer.pth was made by another run',
    ):
        assert part in text


@pytest.mark.usefixtures('never_runs')
def test_a_run_that_another_config_began_is_not_continued(copied, run_tool):
    path = Path(TEACHER)
    path.write_text(path.read_text().replace('lr=0.05', 'lr=0.06'))
    (FOLDERS[0] / 'last.pth').unlink()
    shutil.rmtree(FOLDERS[1])
    with pytest.raises(ValueError, match=r'teacher/last\.pth was begun by another run'):
        run_tool('train', copied, JOB)
    for file in (*FOLDERS[0].glob('*.pth'), FOLDERS[0] / 'last_checkpoint'):
        file.unlink()  # nothing is left to continue from
    with pytest.raises(TypeError, match="'NoneType' object is not callable"):
        run_tool('train', copied, JOB)


@pytest.mark.parametrize(
    ('field', 'value', 'line'),
    [
        ('seed', 7, '  seed: 7 there, 0 required'),
        ('digest', '0' * 16, '  digest: 0000000000000000 there, '),
    ],
)
def test_what_differs_is_named(copied, field, value, line):
    change(FOLDERS[0], **{field: value})
    with pytest.raises(ValueError) as error:
        records(JOB).check()
    assert line in str(error.value)


def test_a_file_without_a_record_counts_and_is_named(copied, run_tool):
    (FOLDERS[0] / RECORD).unlink()
    change(FOLDERS[2], state='failed')
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Runner, 'train', lambda runner: None)
        _, printed = run_tool('train', copied, JOB)
    first, second = printed.splitlines()[:2]
    assert first.endswith('made by an unknown run (no run.json), skipped')
    assert 'found work_dirs/transformmix/search_tiny/mixer.pth' in second
    assert 'run.json' not in second


@pytest.mark.usefixtures('never_runs')
def test_a_damaged_record_is_named(copied, run_tool):
    (FOLDERS[2] / RECORD).write_text('{')
    with pytest.raises(ValueError, match=r'tiny/run\.json is damaged .*; move its folder aside'):
        run_tool('train', copied, JOB)


def test_arguments_that_change_a_result_change_its_digest_and_no_others(monkeypatch):
    none = dict(amp=False, auto_scale_lr=False, no_validate=False, divide_batch=False)
    stage = Stage('a.py', load_config('configs/simple/wrn16_fashionmnist_mini.py'))

    def changes(processes=1, **given):
        monkeypatch.setattr('mmtmix.apps.train.command.get_world_size', lambda: processes)
        return changes_of(stage, argparse.Namespace(**(none | given)))

    assert changes() == changes(divide_batch=True) == changes(4, divide_batch=True) == []
    different = [changes(**{name: True}) for name in ('amp', 'auto_scale_lr', 'no_validate')]
    different += [changes(2), changes(4), changes(4, amp=True, divide_batch=True)]
    assert len(set(map(tuple, different))) == 5  # --amp alone is there twice
    stage.cfg = load_config('configs/supermix/generate_wrn16_fashionmnist_mini.py')
    assert changes(4, amp=True, no_validate=True) == []


def test_a_stage_made_with_other_arguments_is_named_and_counts_in_what_uses_it(copied):
    change(FOLDERS[0], changes=['--amp'], digest=changed(TEACHER, '--amp'))
    stages = plan_stages(JOB, load_config(JOB))
    own = StageRecords(stages, lambda stage: [])
    own.check()
    assert own.note(stages[0]) == ', made with --amp'
    assert own._changes(stages[2]) == ['simple/teacher: --amp']
    assert not StageRecords(stages, lambda stage: ['--amp']).note(stages[0])
    # one that was only begun so is not continued
    (FOLDERS[0] / 'last.pth').unlink()
    with pytest.raises(ValueError, match='made with --amp, which this launch has not'):
        own.check()


def test_a_stage_that_two_configs_have_made_is_refused(copied):
    mark = 'continued from a run of digest 0123'
    change(FOLDERS[0], changes=[mark], digest=changed(TEACHER, mark))
    with pytest.raises(ValueError, match=f'made with {mark}, which this launch has not'):
        records(JOB).check()


def test_a_seed_that_is_given_is_no_part_of_the_digest(tmp_path):
    """A config without randomness has the digest of a run whose seed is given."""
    path = tmp_path / 'a.py'
    for text in ('model = dict(a=1)', 'model = dict(a=1)\nrandomness = dict(deterministic=True)'):
        path.write_text(text)
        given = {'randomness.seed': 5}
        cfg = load_config(path, given)
        (stage,) = plan_stages(str(path), cfg)
        stage.options = given
        assert StageRecords([stage]).digest_of(stage) == digest(str(path))


def records(config, changes=()):
    stages = plan_stages(config, load_config(config))
    stages[-1].cfg.work_dir = str(FOLDERS[2])
    return StageRecords(stages, lambda stage: list(changes))


def changed(config, *changes):
    return changed_digest(digest(config), changes)


def change(folder, **fields):
    path = Path(folder, RECORD)
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))
