"""The record of a run: what an attempt adds, what a finished run keeps, what a kill leaves."""

import json
import multiprocessing
import os
import shutil
import signal
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import Hook

import mmtmix
from mmtmix.engine import recording, run_record, versions
from mmtmix.engine.digest import changed_digest, run_digest, stage_digests
from mmtmix.engine.hooks import record_hook
from mmtmix.engine.hooks.record_hook import RecordHook
from mmtmix.engine.newest_checkpoint import find_checkpoint
from mmtmix.engine.recording import recorded
from mmtmix.engine.run_identity import CONTINUED
from mmtmix.engine.run_record import RECORD, read_record, state_of
from mmtmix.engine.stages import Stage, plan_stages
from mmtmix.utils import Stopped, load_config
from mmtmix.utils import living_holder as living_holder_module
from mmtmix.utils.claims import CLAIM_FILE, claim_folder
from mmtmix.utils.living_holder import LostClaimError, living_holder

pytestmark = pytest.mark.host


@pytest.fixture
def stage(tmp_path):
    """Make a stage in a work dir of its own: ``stage(seed=1, goes_on=True)``."""

    def make(seed=3, name='run', load_from=None, resume=False, **settings):
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        cfg = Config(dict(work_dir=str(folder), randomness=dict(seed=seed)))
        cfg.update(load_from=load_from, resume=resume)
        return Stage('mmtmix::simple/wrn28_cifar100.py', cfg, variants=dict(NET=2), **settings)

    return make


def finish(stage, digest='0' * 16, **settings):
    with recorded(stage, digest, **settings) as record:
        record.begin()
        Path(stage.cfg.work_dir, 'epoch_1.pth').touch()
    return read_record(stage.cfg.work_dir)


def test_a_record_holds_what_was_run_where_and_how_it_ended(stage):
    options = {'randomness.seed': 3, 'b': [1, 2], 'a.x': 0.5}
    with recorded(stage(options=options), 'abc', ['--amp'], divide_batch=True) as record:
        running = read_record(stage().cfg.work_dir)
        record.update(seed=7, precision='float32', progress=[4, 4])
    done = read_record(stage().cfg.work_dir)
    assert running['state'] == 'running'
    assert running['seed'] == 3 and running['progress'] is None
    assert done.keys() == running.keys()
    assert done['state'] == 'done' and done['error'] is None
    assert done['config'] == 'configs/simple/wrn28_cifar100.py'
    assert done['variants'] == {'NET': '2'}
    assert done['options'] == ['a.x=0.5', 'b=[1, 2]']
    assert (done['seed'], done['precision'], done['progress']) == (7, 'float32', [4, 4])
    assert done['digest'] == changed_digest('abc', ['--amp']) != 'abc'
    assert done['changes'] == ['--amp'] and done['divide_batch'] is True
    assert (done['processes'], done['attempts']) == (1, 1)
    assert {'torch', 'mmengine', 'mmpretrain', 'mmtmix'} <= done['versions'].keys()
    assert done['started'].endswith('+00:00') and done['updated'] >= done['started']
    assert [path.name for path in Path(stage().cfg.work_dir).iterdir()] == [RECORD]


@pytest.mark.parametrize(
    ('error', 'state', 'line'),
    [
        (Stopped(signal.SIGTERM, 'saved'), 'stopped', 'stopped by SIGTERM'),
        (KeyboardInterrupt(), 'stopped', 'stopped by SIGINT'),
        (ValueError('two\n\nlines'), 'failed', 'ValueError: two lines'),
        (RuntimeError('x' * 999), 'failed', f'RuntimeError: {"x" * 483}...'),
        (SystemExit(3), 'failed', 'SystemExit: 3'),
    ],
)
def test_what_ends_a_run_is_in_its_record(stage, error, state, line):
    with pytest.raises(type(error)), recorded(stage(), 'abc'):
        raise error
    record = read_record(stage().cfg.work_dir)
    assert (record['state'], record['error']) == (state, line)


def test_attempts_that_continue_add_up_and_keep_the_start(stage, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(run_record.time, 'monotonic', lambda: now[0])
    for module in (run_record, recording):
        monkeypatch.setattr(module, 'now', lambda: f'at {now[0]}')
    with pytest.raises(RuntimeError), recorded(stage(None), 'abc') as record:
        record.update(seed=11, progress=[1, 4])
        Path(stage().cfg.work_dir, 'epoch_1.pth').touch()
        now[0] = 100.0
        raise RuntimeError('stop')
    monkeypatch.setattr(recording, 'used_versions', lambda: dict(torch='later'))
    with recorded(stage(None, goes_on=True), 'abc') as record:
        begun = read_record(stage().cfg.work_dir)
        now[0] = 130.0
    done = read_record(stage().cfg.work_dir)
    assert (begun['state'], begun['error'], begun['progress']) == ('running', None, [1, 4])
    assert (begun['seed'], begun['seconds'], begun['attempts']) == (11, 100.0, 2)
    assert (done['started'], done['updated'], done['seconds']) == ('at 0.0', 'at 130.0', 130.0)
    assert done['versions'] == dict(torch='later')
    assert done['earlier'][0]['versions']['torch'] == torch.__version__
    assert len(done['earlier']) == 1 and 'seconds' not in done['earlier'][0]


@pytest.mark.parametrize('precision', ['float32', 'bfloat16'])
def test_attempts_in_two_precisions_are_told_apart(stage, precision):
    finish(stage())
    path = Path(stage().cfg.work_dir, RECORD)
    first = json.loads(path.read_text()) | dict(precision='bfloat16', state='stopped')
    path.write_text(json.dumps(first))
    with recorded(stage(goes_on=True), '0' * 16) as record:
        record.update(seed=3, precision=precision)  # as RecordHook does when the training starts
        record.begin()
    kept = read_record(path.parent).get('earlier')
    assert [each['precision'] for each in kept] == ['bfloat16'] * (precision == 'float32')


def test_a_launch_that_is_restarted_goes_on_with_its_record(stage):
    """Elastic launches continue from a checkpoint without --resume."""
    first = finish(stage(), 'abc')
    Path(stage().cfg.work_dir, RECORD).write_text(json.dumps(first | dict(seconds=99.0)))
    with recorded(stage(), 'abc') as record:
        assert read_record(stage().cfg.work_dir)['attempts'] == 1
        record.continue_run()
        record.continue_run()
    done = read_record(stage().cfg.work_dir)
    assert (done['attempts'], done['digest'], done['started']) == (2, 'abc', first['started'])
    assert 99.0 <= done['seconds'] < 190


def test_a_run_that_starts_anew_has_a_record_of_its_own(stage):
    first = finish(stage())
    Path(stage().cfg.work_dir, RECORD).write_text(json.dumps(first | dict(seconds=99.0)))
    again = finish(stage())  # without --resume
    assert again['attempts'] == 1 and again['seconds'] < 90


def test_a_finished_run_that_is_resumed_keeps_its_record(stage):
    finish(stage())
    path = Path(stage().cfg.work_dir, RECORD)
    before = path.read_bytes()
    with recorded(stage(goes_on=True), '0' * 16) as record:
        record.update(seed=5, progress=[4, 4])
    assert path.read_bytes() == before
    with pytest.raises(OSError), recorded(stage(goes_on=True), '0' * 16):
        raise OSError('no data')
    assert path.read_bytes() == before
    with recorded(stage(goes_on=True), '0' * 16, ['--amp']) as record:
        record.continue_run(dict(run=dict(digest='0' * 16, changes=[])))
    assert path.read_bytes() == before  # no step was made with the argument
    with recorded(stage(goes_on=True), '0' * 16, ['--amp']) as record:
        record.begin()
    assert read_record(path.parent)['changes'] == ['--amp', f'{CONTINUED}{"0" * 16}']
    path.write_bytes(before)
    with recorded(stage(goes_on=True), '0' * 16) as record:
        record.begin()  # its checkpoint was not the last one, so it does train
    assert read_record(path.parent)['attempts'] == 2


def test_a_finished_run_of_an_older_version_keeps_its_record(stage):
    path = Path(stage().cfg.work_dir, RECORD)
    path.write_text(json.dumps(dict(digest='abc', seconds=5.0)))
    for name in ('epoch_1.pth', 'last.pth'):
        path.with_name(name).touch()
    before = path.read_bytes()
    with recorded(stage(goes_on=True), 'abc'):
        pass
    assert path.read_bytes() == before


def test_a_run_that_continues_another_one_counts_as_neither(stage):
    digests = [finish(stage(goes_on=True), digest)['digest'] for digest in ('a', 'b', 'b', 'a')]
    assert digests[0] == 'a'
    assert len({*digests, 'b'}) == 4  # the third attempt is of the same run as the second
    assert digests[1] == digests[2]
    assert read_record(stage().cfg.work_dir)['attempts'] == 4
    fresh = finish(stage(), 'b')
    assert fresh['digest'] == 'b' and fresh['changes'] == []


def test_a_record_that_cannot_be_written_warns_once(stage, monkeypatch, capsys):
    def full(*args):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(run_record, 'publish_file', full)
    with recorded(stage(), 'abc'):
        pass
    assert capsys.readouterr().err.count('the run goes on') == 1
    assert not [*Path(stage().cfg.work_dir).iterdir()]


def test_the_duration_is_renewed_while_a_run_goes_on(stage, monkeypatch):
    monkeypatch.setattr(run_record, 'RENEWAL', 0.01)
    shards = []
    folder = stage().cfg.work_dir
    with recorded(stage(), 'abc', progress=lambda: [len(shards), 2]):
        shards.append(1)
        deadline = run_record.time.monotonic() + 60
        while read_record(folder)['progress'] != [1, 2]:
            assert run_record.time.monotonic() < deadline


def test_a_killed_run_is_interrupted_and_a_living_one_is_not(stage):
    folder = stage().cfg.work_dir
    context = multiprocessing.get_context('fork')
    ready = context.Event()

    def work():
        claim_folder(folder)
        with recorded(stage(), 'abc'):
            ready.set()
            signal.pause()

    child = context.Process(target=work)
    child.start()
    assert ready.wait(60)
    assert state_of(folder, read_record(folder)) == 'running'
    assert living_holder(folder).pid == child.pid
    child.kill()
    child.join()
    assert read_record(folder)['state'] == 'running'
    assert state_of(folder, read_record(folder)) == 'interrupted'
    assert living_holder(folder) is None


def test_a_holder_elsewhere_lives_while_its_claim_is_renewed(tmp_path):
    with_claim = claim_folder(tmp_path)
    assert living_holder(tmp_path) == with_claim.holder
    text = Path(tmp_path, CLAIM_FILE).read_text()
    with_claim.release()
    assert living_holder(tmp_path) is None
    path = Path(tmp_path, CLAIM_FILE)
    path.write_text(json.dumps(json.loads(text) | dict(host='elsewhere')))
    assert living_holder(tmp_path).host == 'elsewhere'
    long_ago = path.stat().st_mtime - 1000
    os.utime(path, (long_ago, long_ago))
    assert living_holder(tmp_path) is None
    path.write_text('{"host": ')
    assert living_holder(tmp_path) is None


@pytest.mark.parametrize('text', ['{"digest": ', '[]', '"x"', '{}', '\xff'])
def test_a_damaged_record_is_named_with_a_cure(tmp_path, text):
    assert read_record(tmp_path) == read_record(tmp_path / 'nowhere') == {}
    (tmp_path / RECORD).write_text(text, encoding='latin1')
    with pytest.raises(ValueError, match=r'run.json is damaged .*; move its folder aside'):
        read_record(tmp_path)


def test_other_processes_than_the_main_one_write_nothing(stage, monkeypatch):
    monkeypatch.setattr(recording, 'is_main_process', lambda: False)
    with recorded(stage(), 'abc') as record:
        record.begin()
        record.update(seed=1)
    assert not [*Path(stage().cfg.work_dir).iterdir()]


@pytest.mark.parametrize(
    'config',
    [
        'configs/transformmix/wrn16_fashionmnist_mini.py',
        'configs/supermix/offline_wrn16_fashionmnist_mini.py',
    ],
)
def test_a_stage_has_the_digest_that_it_has_alone(config):
    stages = plan_stages(config, load_config(config))
    assert len(stages) > 2
    alone = [
        run_digest(plan_stages(stage.config, load_config(stage.config, variants=stage.variants)))
        for stage in stages
    ]
    assert stage_digests(stages) == alone


@pytest.mark.skipif(not shutil.which('git'), reason='needs git')
def test_the_commit_of_a_checkout_is_among_the_versions(tmp_path, monkeypatch):
    def git(*words):
        settings = ['-c', 'user.name=a', '-c', 'user.email=a@b.c', '-c', 'commit.gpgsign=false']
        command = ['git', *settings, '-C', str(tmp_path), *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    source = tmp_path / 'mmtmix' / '__init__.py'
    source.parent.mkdir()
    source.write_text('# a package\n')
    monkeypatch.setattr(mmtmix, '__file__', str(source))
    assert versions.used_versions()['mmtmix'] == mmtmix.__version__
    git('init')
    assert versions.used_versions()['mmtmix'] == mmtmix.__version__  # nothing is committed yet
    git('add', 'mmtmix')
    git('commit', '-m', 'begin')
    commit = git('rev-parse', '--short', 'HEAD')
    assert versions.used_versions()['mmtmix'] == f'{mmtmix.__version__}+g{commit}'
    source.write_text('# changed\n')
    assert versions.used_versions()['mmtmix'] == f'{mmtmix.__version__}+g{commit}.dirty'


@pytest.mark.parametrize(('answer', 'driver'), [('echo 580.1', '580.1'), ('exit 9', 'unknown')])
def test_a_gpu_is_named_with_its_driver(tmp_path, monkeypatch, answer, driver):
    program = tmp_path / 'nvidia-smi'
    program.write_text(f'#!/bin/sh\n{answer}\n')
    program.chmod(0o755)
    monkeypatch.setenv('PATH', str(tmp_path), prepend=os.pathsep)
    cuda = SimpleNamespace(is_available=lambda: True, get_device_name=lambda: 'a card')
    # of this module alone: others would look for the card itself
    monkeypatch.setattr(versions, 'torch', SimpleNamespace(cuda=cuda))
    assert versions.used_device() == 'a card'
    assert versions.used_device(2) == '2 x a card'
    assert versions.used_versions()['driver'] == driver


def test_a_training_puts_its_seed_precision_and_steps_into_its_record(stage, probe_runner):
    """A resumed run without a seed in its config has that of its checkpoint."""
    runner = probe_runner(epochs=1, randomness=dict(seed=None))
    with recorded(stage(None), 'abc') as record:
        runner.register_hook(RecordHook(record))
        runner.train()
    done = read_record(stage().cfg.work_dir)
    assert done['seed'] == runner.seed
    assert done['precision'] == 'float32'
    assert done['progress'] == [6, 6]
    resumed = probe_runner(
        epochs=1,
        randomness=dict(seed=None),
        resume=True,
        load_from=f'{runner.work_dir}/epoch_1.pth',
    )
    path = Path(stage().cfg.work_dir, RECORD)
    before = path.read_bytes()
    with recorded(stage(None, goes_on=True), 'abc') as record:
        resumed.register_hook(RecordHook(record))
        resumed.train()
    assert resumed.seed == runner.seed
    assert path.read_bytes() == before


def resumed(stage, probe_runner, digest, path, epochs=1, **settings):
    """Resume a training from a checkpoint, and return its record as it is then."""
    runner = probe_runner(epochs=epochs, resume=True, load_from=str(path))
    given = stage(**settings)
    with recorded(given, digest) as record:
        runner.register_hook(RecordHook(record))
        runner.train()
    return record.content


def test_the_checkpoint_determines_to_which_run_a_resumed_one_belongs(
    stage, probe_runner, tmp_path
):
    folder = Path(stage().cfg.work_dir)
    mark = 'continued from a run of digest '
    runner = probe_runner(epochs=1)
    with recorded(stage(), 'a') as record:
        runner.register_hook(RecordHook(record))
        runner.train()
    first, made = folder / 'epoch_1.pth', read_record(folder)
    assert torch.load(first, weights_only=False)['meta']['run'] == dict(digest='a', changes=[])
    with recorded(stage(), 'b'):  # is begun anew, and killed before its first checkpoint
        left = (folder / RECORD).read_bytes()
    (folder / RECORD).write_bytes(left)
    found = find_checkpoint(folder, is_own=record.is_own)
    assert found.path == first
    with recorded(stage(goes_on=True), 'b') as begun:
        assert begun.content['changes'] == []  # as far as the record goes
        found = find_checkpoint(folder, is_own=begun.is_own)
        assert found.path is None and found.faults == [f"checkpoint '{first}' is of another run"]
    (folder / RECORD).write_bytes(left)
    neither = resumed(stage, probe_runner, 'b', first, epochs=2, goes_on=True)
    assert neither['changes'] == [f'{mark}a'] and neither['digest'] not in ('a', 'b')
    assert read_record(folder)['digest'] == neither['digest']
    second = torch.load(folder / 'epoch_2.pth', weights_only=False)['meta']['run']
    assert second == dict(digest=neither['digest'], changes=neither['changes'])
    # whatever the record of the folder holds
    (folder / RECORD).unlink()
    again = resumed(stage, probe_runner, 'b', folder / 'epoch_2.pth', epochs=2, goes_on=True)
    assert again['digest'] == neither['digest']
    assert resumed(stage, probe_runner, 'a', first)['changes'] == []
    # one of an older version holds no digest, and its record no such field
    content = torch.load(first, weights_only=False)
    del content['meta']['run']
    old = tmp_path / 'old' / 'epoch_1.pth'
    old.parent.mkdir()
    torch.save(content, old)
    settings = dict(load_from=str(old), resume=True)
    unknown = resumed(stage, probe_runner, 'a', old, **settings)
    assert unknown['changes'] == [f'{mark}unknown']
    fields = {name: value for name, value in made.items() if name != 'unmarked'}
    (old.parent / RECORD).write_text(json.dumps(fields))
    assert resumed(stage, probe_runner, 'a', old, **settings)['digest'] == 'a'
    assert resumed(stage, probe_runner, 'b', old, **settings)['changes'] == [f'{mark}a']


def test_old_checkpoints_keep_their_run_when_another_is_begun_in_their_folder(stage):
    folder = Path(stage().cfg.work_dir)
    (folder / RECORD).write_text(json.dumps(dict(digest='a', seconds=5.0)))
    for digest in ('b', 'c', 'a'):
        with recorded(stage(), digest) as record:
            assert record.is_own({}) is (digest == 'a')
    assert read_record(folder)['unmarked'] == dict(digest='a', changes=[])


@pytest.mark.parametrize('checks', [0.0, 1000.0])  # at a step, or before a checkpoint
def test_a_training_whose_work_dir_is_taken_over_writes_nothing_more(
    stage, probe_runner, monkeypatch, checks
):
    monkeypatch.setattr(record_hook, 'CHECKS', checks)
    monkeypatch.setattr(living_holder_module, '_SETTLING', 0.0)
    runner = probe_runner(epochs=1)
    folder = Path(stage().cfg.work_dir)
    claim = claim_folder(folder)

    class Thief(Hook):
        def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
            if batch_idx == 1:
                other = json.loads(claim.path.read_text()) | dict(host='elsewhere', pid=5)
                (folder / 'other').write_text(json.dumps(other))
                os.replace(folder / 'other', claim.path)
                (folder / RECORD).write_text('{"of": "another"}')

    with pytest.raises(LostClaimError, match='process 5 on elsewhere'):  # noqa: SIM117
        with recorded(stage(), 'abc') as record:
            runner.register_hook(Thief())
            runner.register_hook(RecordHook(record))
            runner.train()
    assert runner.iter == (1 if checks == 0.0 else 6)
    assert read_record(folder) == {'of': 'another'}
    assert not list(Path(runner.work_dir).glob('*.pth'))
    claim.release()
    assert claim.path.exists()  # it is the other one's
