"""SignalStopHook: SIGTERM ends a training after a step, and a resumed run ends the same."""

import os
import signal

import pytest
import torch
from mmengine.hooks import Hook

from mmtmix.engine import SignalStopHook
from mmtmix.engine.hooks import signal_stop_hook
from mmtmix.utils import Stopped, stop_request, stoppable

pytestmark = pytest.mark.host

SEED = dict(type='EpochSeedHook')
STOP = dict(type='SignalStopHook', grace=60.0)
NEVER = 10**6  # such a checkpoint is only written on a signal


class Terminate(Hook):
    """Sends SIGTERM to this process during a step, counted from 0."""

    def __init__(self, step):
        self.step = step

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if runner.iter == self.step:
            os.kill(os.getpid(), signal.SIGTERM)


@pytest.fixture
def by_iteration(probe_runner):
    def make(*hooks, **kwargs):
        settings = dict(
            loader=dict(sampler=dict(type='InfiniteSampler', shuffle=True)),
            train_cfg=dict(by_epoch=False, max_iters=8),
            default_hooks=dict(
                checkpoint=dict(type='CheckpointHook', by_epoch=False, interval=NEVER)
            ),
        )
        return probe_runner(SEED, *hooks, **(settings | kwargs))

    return make


def by_epoch(probe_runner, *hooks, **kwargs):
    checkpoint = dict(type='CheckpointHook', interval=NEVER, save_last=False)
    return probe_runner(SEED, *hooks, default_hooks=dict(checkpoint=checkpoint), **kwargs)


def stop(runner):
    with pytest.raises(Stopped) as stopped, stoppable(lambda: 'saved'):
        runner.train()
    assert stopped.value.signum == signal.SIGTERM
    return stopped.value.report


def assert_resumes_exactly(resumed, unbroken, skipped):
    unbroken.train()
    resumed.train()
    assert torch.equal(resumed.model.weight, unbroken.model.weight)
    assert len(resumed.model.seen) == len(unbroken.model.seen) - skipped
    for one, other in zip(resumed.model.seen, unbroken.model.seen[skipped:], strict=True):
        assert torch.equal(one, other)


def test_a_run_by_iterations_saves_after_the_step_and_resumes_exactly(by_iteration, tmp_path):
    assert stop(by_iteration(Terminate(4), STOP)) == 'after iteration 5; saved'
    assert (tmp_path / 'run/last_checkpoint').read_text().endswith('iter_5.pth')
    unbroken = by_iteration(STOP, work_dir=str(tmp_path / 'unbroken'))
    assert_resumes_exactly(by_iteration(STOP, resume=True), unbroken, 5)
    assert not stop_request.is_awaited


def test_a_gradient_that_is_summed_up_is_not_broken_off(by_iteration, tmp_path):
    optimizer = dict(optimizer=dict(type='SGD', lr=0.5), accumulative_counts=3)
    runs = dict(optim_wrapper=optimizer)
    assert stop(by_iteration(Terminate(3), STOP, **runs)) == 'after iteration 6; saved'
    unbroken = by_iteration(STOP, work_dir=str(tmp_path / 'unbroken'), **runs)
    assert_resumes_exactly(by_iteration(STOP, resume=True, **runs), unbroken, 6)


def test_a_run_by_epochs_goes_on_to_a_near_end_of_its_epoch(probe_runner, tmp_path):
    assert stop(by_epoch(probe_runner, Terminate(2), STOP)) == 'after epoch 1; saved'
    assert (tmp_path / 'run/last_checkpoint').read_text().endswith('epoch_1.pth')
    unbroken = by_epoch(probe_runner, STOP, work_dir=str(tmp_path / 'unbroken'))
    assert_resumes_exactly(by_epoch(probe_runner, STOP, resume=True), unbroken, 6)


def test_a_run_by_epochs_stops_at_once_if_its_epoch_is_long(probe_runner, tmp_path):
    runner = by_epoch(probe_runner, Terminate(2), dict(STOP, grace=0.0))
    assert stop(runner) == 'after iteration 3; saved'
    assert not list((tmp_path / 'run').glob('*.pth'))


def test_a_checkpoint_that_the_run_has_just_written_is_not_written_again(
    by_iteration, monkeypatch
):
    hooks = dict(checkpoint=dict(type='CheckpointHook', by_epoch=False, interval=5))
    runner = by_iteration(Terminate(4), STOP, default_hooks=hooks)
    saved, save = [], runner.save_checkpoint

    def spy(folder, name, *args, **kwargs):
        saved.append(name)
        save(folder, name, *args, **kwargs)

    monkeypatch.setattr(runner, 'save_checkpoint', spy)
    stop(runner)
    assert saved == ['iter_5.pth']


def test_without_a_checkpoint_hook_nothing_is_saved(by_iteration, tmp_path):
    stop(by_iteration(Terminate(1), STOP, default_hooks=dict(checkpoint=None)))
    assert not list((tmp_path / 'run').glob('*.pth'))


def test_processes_stop_together_every_few_steps(by_iteration, monkeypatch, tmp_path):
    exchanges = []

    def another_has_got_it(seen, op):
        exchanges.append((seen.tolist(), op))
        seen[0] = signal.SIGTERM

    monkeypatch.setattr(signal_stop_hook, 'get_world_size', lambda: 2)
    monkeypatch.setattr(signal_stop_hook, 'all_reduce', another_has_got_it)
    assert stop(by_iteration(dict(STOP, interval=3))) == 'after iteration 3; saved'
    assert exchanges == [([0.0, 0.0], 'max')]
    assert (tmp_path / 'run/iter_3.pth').exists()


def test_a_validation_is_left_without_saving(by_iteration, monkeypatch):
    runner = by_iteration()
    runner._train_loop = runner.build_train_loop(runner._train_loop)
    monkeypatch.setattr(stop_request, 'signum', signal.SIGTERM)
    with pytest.raises(Stopped, match='in the validation at iteration 0'):
        SignalStopHook().after_val_iter(runner, 0)


@pytest.mark.parametrize('options', [dict(interval=0), dict(grace=-1.0), dict(grace=float('nan'))])
def test_numbers_out_of_range_are_refused(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        SignalStopHook(**options)
