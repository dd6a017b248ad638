"""KeepingCheckpointHook: an old checkpoint goes when the new one is complete."""

import errno
import os
import signal

import pytest
from mmengine.config import ConfigDict
from mmengine.evaluator import BaseMetric
from mmengine.fileio import LocalBackend
from mmengine.hooks import CheckpointHook, Hook

from mmtmix.engine.checkpoints import write_checkpoints_whole
from mmtmix.engine.hooks import keep_checkpoints
from mmtmix.utils import Stopped, load_checkpoint, stop_request

pytestmark = pytest.mark.host

KEEPING = dict(type='KeepingCheckpointHook', interval=1, max_keep_ckpts=1)


class Rising(BaseMetric):
    """Rises with each validation."""

    values = 0

    def process(self, data_batch, data_samples):
        self.results.append(0)

    def compute_metrics(self, results):
        type(self).values += 1
        return dict(score=float(self.values))


@pytest.fixture
def deleted(monkeypatch):
    """What is deleted, each with the checkpoints that were complete at that time."""
    calls, remove = [], LocalBackend.remove

    def watch(self, path):
        names = sorted(name for name in os.listdir(os.path.dirname(path)) if '.pth' in name)
        calls.append((os.path.basename(path), names))
        remove(self, path)

    monkeypatch.setattr(LocalBackend, 'remove', watch)
    return calls


def checkpoints(folder):
    return sorted(path.name for path in folder.iterdir() if '.pth' in path.name)


def test_the_newer_one_is_complete_before_the_older_one_goes(tmp_path, probe_runner, deleted):
    runner = probe_runner(default_hooks=dict(checkpoint=KEEPING), epochs=3)
    write_checkpoints_whole(runner)
    runner.train()
    assert deleted == [
        ('epoch_1.pth', ['epoch_1.pth', 'epoch_2.pth']),
        ('epoch_2.pth', ['epoch_2.pth', 'epoch_3.pth']),
    ]
    assert checkpoints(tmp_path / 'run') == ['epoch_3.pth']


def test_what_a_signal_saves_is_complete_before_the_older_one_goes(
    probe_runner, deleted, monkeypatch
):
    hook = KEEPING | dict(by_epoch=False, interval=2)
    signal_stop = dict(type='SignalStopHook')
    runner = probe_runner(
        default_hooks=dict(checkpoint=hook, signal_stop=signal_stop),
        train_cfg=dict(by_epoch=False, max_iters=6),
    )
    write_checkpoints_whole(runner)

    class Terminate(Hook):
        def before_train_iter(self, runner, batch_idx, data_batch=None):
            if runner.iter == 2:
                monkeypatch.setattr(stop_request, 'signum', signal.SIGTERM)

    runner.register_hook(Terminate())
    with pytest.raises(Stopped, match='after iteration 3'):
        runner.train()
    assert deleted == [('iter_2.pth', ['iter_2.pth', 'iter_3.pth'])]


def test_by_iterations_a_full_disk_leaves_the_older_one(tmp_path, probe_runner, monkeypatch):
    hook = KEEPING | dict(by_epoch=False, interval=2)
    runner = probe_runner(default_hooks=dict(checkpoint=hook), epochs=1)
    write_checkpoints_whole(runner)
    put = LocalBackend.put

    def full(self, content, path):
        if 'iter_4' in str(path):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        put(self, content, path)

    monkeypatch.setattr(LocalBackend, 'put', full)
    with pytest.raises(OSError, match='iter_4.pth cannot be written: No space left on device'):
        runner.train()
    assert checkpoints(tmp_path / 'run') == ['iter_2.pth']
    assert load_checkpoint(tmp_path / 'run' / 'iter_2.pth')['meta']['iter'] == 2


def test_the_best_one_stays_until_a_better_one_is_complete(
    tmp_path, probe_runner, deleted, monkeypatch
):
    monkeypatch.setattr(Rising, 'values', 0)
    hook = KEEPING | dict(max_keep_ckpts=5, save_best='score', rule='greater')
    train = probe_runner()._train_dataloader
    runner = probe_runner(
        default_hooks=dict(checkpoint=hook),
        val_dataloader=train | dict(sampler=dict(type='DefaultSampler', shuffle=False)),
        val_cfg=dict(),
        val_evaluator=[Rising()],
    )
    runner.model.forward = lambda inputs, data_samples, mode: (
        data_samples if mode == 'predict' else type(runner.model).forward(runner.model, inputs)
    )
    runner.train()
    ((name, there),) = deleted
    assert name == 'best_score_epoch_1.pth'
    assert {'best_score_epoch_1.pth', 'best_score_epoch_2.pth'} <= set(there)
    assert checkpoints(tmp_path / 'run') == [
        'best_score_epoch_2.pth',
        'epoch_1.pth',
        'epoch_2.pth',
    ]


def test_a_name_that_is_written_again_is_not_deleted(tmp_path, probe_runner):
    runner = probe_runner(default_hooks=dict(checkpoint=KEEPING), epochs=1)
    runner.train()
    (hook,) = (hook for hook in runner.hooks if isinstance(hook, CheckpointHook))
    with hook._deleting_last():
        hook.file_backend.remove(hook.last_ckpt)
    assert checkpoints(tmp_path / 'run') == ['epoch_1.pth']


@pytest.mark.parametrize(
    ('given', 'expected'),
    [
        (None, dict(type='mmpretrain.KeepingCheckpointHook', interval=1)),
        (
            dict(type='CheckpointHook', interval=7, max_keep_ckpts=2),
            dict(type='mmpretrain.KeepingCheckpointHook', interval=7, max_keep_ckpts=2),
        ),
        (dict(type=CheckpointHook), dict(type='mmpretrain.KeepingCheckpointHook')),
        (dict(type='LoggerHook'), dict(type='LoggerHook')),
    ],
)
def test_the_stock_hook_alone_is_replaced(given, expected):
    hooks = ConfigDict() if given is None else ConfigDict(checkpoint=given)
    keep_checkpoints(hooks)
    assert hooks == dict(checkpoint=expected)


def test_an_object_and_none_stay():
    for given in (None, CheckpointHook()):
        hooks = dict(checkpoint=given)
        keep_checkpoints(hooks)
        assert hooks == dict(checkpoint=given)
