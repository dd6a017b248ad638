"""LastCheckpointHook: last.pth is there exactly when training has ended."""

from pathlib import Path

import pytest
from mmengine.fileio import LocalBackend
from mmengine.hooks import Hook

from mmtmix.utils import load_checkpoint

LAST = dict(type='LastCheckpointHook')

pytestmark = pytest.mark.host


class Break(Hook):
    def __init__(self, iteration):
        self.iteration = iteration

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if runner.iter == self.iteration:
            raise RuntimeError('the power went out')


class StopEarly(Hook):
    def after_train_epoch(self, runner):
        runner.train_loop.stop_training = True


def test_file_holds_the_trained_weights_and_no_optimizer(tmp_path, probe_runner):
    runner = probe_runner(LAST)
    runner.train()
    content = load_checkpoint(tmp_path / 'run' / 'last.pth')
    assert content['state_dict'] == runner.model.state_dict()
    assert content['meta']['epoch'] == 2 and content['meta']['iter'] == 12
    assert not {'optimizer', 'param_schedulers'} & content.keys()
    assert not list((tmp_path / 'run').glob('.last*'))


def test_file_holds_the_moving_average_where_ema_hook_runs(tmp_path, probe_runner):
    runner = probe_runner(dict(type='EMAHook', momentum=0.3), LAST)
    runner.train()
    (ema,) = [hook for hook in runner.hooks if type(hook).__name__ == 'EMAHook']
    state = load_checkpoint(tmp_path / 'run' / 'last.pth')['state_dict']
    assert state['weight'] == ema.ema_model.module.weight
    assert state['weight'] != runner.model.weight


def test_file_is_not_there_after_an_exception(tmp_path, probe_runner):
    with pytest.raises(RuntimeError, match='power'):
        probe_runner(LAST, Break(iteration=8)).train()
    assert [file.name for file in (tmp_path / 'run').glob('*.pth')] == ['epoch_1.pth']


def test_older_file_stays_whole_when_writing_fails(tmp_path, probe_runner, monkeypatch):
    path = tmp_path / 'run' / 'last.pth'
    path.parent.mkdir()
    path.write_text('older')
    put = LocalBackend.put

    def full_disk(self, content, file):
        if 'last' not in str(file):
            return put(self, content, file)
        Path(file).write_bytes(content[:100])
        raise OSError('no space left')

    monkeypatch.setattr(LocalBackend, 'put', full_disk)
    with pytest.raises(OSError, match='no space'):
        probe_runner(LAST).train()
    assert path.read_text() == 'older'


def test_early_stop_is_an_end_too(tmp_path, probe_runner):
    runner = probe_runner(LAST, StopEarly(), epochs=5)
    runner.train()
    content = load_checkpoint(tmp_path / 'run' / 'last.pth')
    assert content['meta']['epoch'] == 1
    assert content['state_dict'] == runner.model.state_dict()


def test_name_can_be_chosen(tmp_path, probe_runner):
    probe_runner(LAST | dict(filename='done.pth'), epochs=1).train()
    assert (tmp_path / 'run' / 'done.pth').exists()
    assert not (tmp_path / 'run' / 'last.pth').exists()
