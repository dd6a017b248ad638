"""FiniteStopHook: a run that lost its mind ends, with the last good weights on disk."""

import pytest
import torch
from mmengine.hooks import Hook

from mmtmix.engine import FiniteStopHook

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


@pytest.mark.parametrize(
    ('nan_at', 'interval', 'noticed', 'good'),
    [
        (9, 1, 9, 8),
        (8, 3, 9, 6),
        (2, 50, 6, 0),  # the end of an epoch is always looked at
        (12, 5, 12, 10),
    ],
)
def test_nan_loss_stops_with_the_last_good_weights(
    tmp_path, probe_runner, nan_at, interval, noticed, good
):
    keep = Keep()
    runner = probe_runner(keep, FiniteStopHook(interval), epochs=3, nan_at=nan_at)
    with pytest.raises(RuntimeError) as error:
        runner.train()
    assert f'NaN or infinite by iteration {noticed}.' in str(error.value)
    assert f'weights after iteration {good},' in str(error.value)
    assert str(tmp_path / 'run' / 'last_good.pth') in str(error.value)
    assert 'clip_grad' in str(error.value)
    content = torch.load(tmp_path / 'run' / 'last_good.pth', weights_only=True)
    assert content['meta']['iter'] == good
    assert torch.equal(content['state_dict']['weight'], keep.weights[good])
    assert files(tmp_path) == {'last_good.pth'} | ({'epoch_1.pth'} if noticed > 6 else set())


def test_nan_weight_stops_even_if_the_loss_is_finite(tmp_path, probe_runner):
    runner = probe_runner(SpoilSpare(), FiniteStopHook(50), epochs=3)
    with pytest.raises(RuntimeError, match='a weight became NaN or infinite by iteration 12'):
        runner.train()
    content = torch.load(tmp_path / 'run' / 'last_good.pth', weights_only=True)
    assert content['state_dict']['spare'] == 3
    assert content['meta']['iter'] == 6
    assert files(tmp_path) == {'last_good.pth', 'epoch_1.pth'}


def test_count_goes_on_in_a_resumed_run(tmp_path, probe_runner):
    probe_runner(epochs=1).train()
    runner = probe_runner(FiniteStopHook(4), epochs=3, nan_at=3, resume=True)
    with pytest.raises(RuntimeError, match='by iteration 12. .* weights after iteration 8,'):
        runner.train()


def test_finite_run_is_left_alone(tmp_path, probe_runner):
    probe_runner(FiniteStopHook(2, filename='good.pth')).train()
    assert files(tmp_path) == {'epoch_1.pth', 'epoch_2.pth'}


def test_interval_below_one_is_refused():
    with pytest.raises(ValueError, match='interval must be an integer >= 1, got 0'):
        FiniteStopHook(interval=0)
