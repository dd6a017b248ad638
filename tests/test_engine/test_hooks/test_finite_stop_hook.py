"""FiniteStopHook: a diverged run ends, and nothing that is not finite is written."""

from contextlib import nullcontext
from types import SimpleNamespace

import pytest
import torch
from mmengine.hooks import Hook

from mmtmix.engine import DivergedError, FiniteStopHook, LastCheckpointHook

pytestmark = pytest.mark.host


class Keep(Hook):
    """The weight after every iteration."""

    priority = 'HIGHEST'

    def __init__(self):
        self.weights = []

    def before_train(self, runner):
        self.weights = [runner.model.weight.detach().clone()]

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.weights.append(runner.model.weight.detach().clone())


class SpoilSpare(Hook):
    """Makes a weight NaN that no loss depends on."""

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if runner.iter == 7:
            runner.model.spare.data.fill_(float('nan'))


def files(tmp_path):
    return {file.name for file in (tmp_path / 'run').glob('*.pth')}


def keeping(interval):
    return FiniteStopHook(interval, keep_weights=True)


@pytest.mark.parametrize(
    ('nan_at', 'interval', 'good', 'saved'),
    [
        (9, 1, 8, {'epoch_1.pth'}),
        (8, 3, 6, {'epoch_1.pth'}),
        (2, 50, 0, set()),  # the end of an epoch is always read
        (12, 5, 10, {'epoch_1.pth'}),
    ],
)
def test_nan_loss_stops_with_the_step_and_the_last_good_weights(
    tmp_path, probe_runner, nan_at, interval, good, saved
):
    keep = Keep()
    runner = probe_runner(keep, keeping(interval), epochs=3, nan_at=nan_at)
    with pytest.raises(DivergedError) as error:
        runner.train()
    assert f'the loss became NaN or infinite in iteration {nan_at}.' in str(error.value)
    assert f'weights after iteration {good},' in str(error.value)
    assert str(tmp_path / 'run' / 'last_good.pth') in str(error.value)
    assert 'clip_grad' in str(error.value)
    content = torch.load(tmp_path / 'run' / 'last_good.pth', weights_only=True)
    assert content['meta']['iter'] == good
    assert torch.equal(content['state_dict']['weight'], keep.weights[good])
    assert files(tmp_path) == {'last_good.pth'} | saved


def test_without_a_copy_the_last_checkpoint_is_named(tmp_path, probe_runner):
    runner = probe_runner(FiniteStopHook(), LastCheckpointHook(), epochs=3, nan_at=9)
    with pytest.raises(DivergedError, match=r'in iteration 9\. Those of the last .*epoch_1\.pth'):
        runner.train()
    assert files(tmp_path) == {'epoch_1.pth'}


def test_before_the_first_checkpoint_none_is_named(tmp_path, probe_runner):
    runner = probe_runner(FiniteStopHook(), nan_at=2)
    with pytest.raises(DivergedError, match='No checkpoint was written before; start again with'):
        runner.train()
    assert files(tmp_path) == set()


def test_nan_weight_stops_even_if_the_loss_is_finite(tmp_path, probe_runner):
    runner = probe_runner(SpoilSpare(), keeping(50), epochs=3)
    with pytest.raises(DivergedError, match='a weight became NaN or infinite by iteration 12'):
        runner.train()
    content = torch.load(tmp_path / 'run' / 'last_good.pth', weights_only=True)
    assert content['state_dict']['spare'] == 3
    assert content['meta']['iter'] == 6
    assert files(tmp_path) == {'last_good.pth', 'epoch_1.pth'}


def test_weights_that_are_not_finite_are_in_no_checkpoint(tmp_path, probe_runner):
    often = dict(checkpoint=dict(type='CheckpointHook', interval=1, by_epoch=False))
    runner = probe_runner(SpoilSpare(), FiniteStopHook(50), epochs=3, default_hooks=often)
    with pytest.raises(DivergedError, match=r'a weight became NaN .* iteration 8.*iter_7\.pth'):
        runner.train()  # all ranks read before a checkpoint
    assert 'iter_7.pth' in files(tmp_path)
    assert 'iter_8.pth' not in files(tmp_path)


def test_whoever_saves_weights_that_are_not_finite_is_refused(tmp_path, probe_runner):
    class Save(Hook):
        def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
            if runner.iter == 8:
                runner.save_checkpoint(runner.work_dir, 'mine.pth')

    runner = probe_runner(SpoilSpare(), Save(), FiniteStopHook(50), epochs=3)
    with pytest.raises(DivergedError, match=r'weights spare are NaN .*no checkpoint is written'):
        runner.train()
    assert files(tmp_path) == {'epoch_1.pth'}


@pytest.mark.parametrize(('nan_at', 'stops'), [(3, False), (range(1, 7), True)])
def test_a_loss_scaler_may_skip_single_steps(probe_runner, nan_at, stops):
    class Scaled:
        """Gives its losses, as a run in float16 has them."""

        optim_wrapper = SimpleNamespace(loss_scaler=None)
        model = torch.nn.Linear(1, 1)
        work_dir, iter = 'nowhere', 0
        train_dataloader, hooks = range(6), ()

    hook, runner = FiniteStopHook(6), Scaled()
    bad = [nan_at] if isinstance(nan_at, int) else nan_at
    with pytest.raises(DivergedError, match='in iteration 1') if stops else nullcontext():
        for step in range(1, 7):
            loss = torch.tensor(float('inf') if step in bad else 1.0)
            runner.iter = step - 1
            hook.after_train_iter(runner, step - 1, outputs=dict(loss=loss))


def test_count_goes_on_in_a_resumed_run(tmp_path, probe_runner):
    probe_runner(epochs=1).train()
    runner = probe_runner(keeping(4), epochs=3, nan_at=3, resume=True)
    with pytest.raises(DivergedError, match='in iteration 9. .* weights after iteration 8,'):
        runner.train()


def test_finite_run_is_left_alone(tmp_path, probe_runner):
    probe_runner(FiniteStopHook(2, keep_weights=True, filename='good.pth')).train()
    assert files(tmp_path) == {'epoch_1.pth', 'epoch_2.pth'}


def test_interval_below_one_is_refused():
    with pytest.raises(ValueError, match='interval must be an integer >= 1, got 0'):
        FiniteStopHook(interval=0)
