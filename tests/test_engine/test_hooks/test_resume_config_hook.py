"""ResumeConfigHook: a resumed run keeps its own config."""

import pytest
from mmengine.hooks import Hook

from mmtmix.models.teachers import InputStats

pytestmark = pytest.mark.host


class Ask(Hook):
    """Keeps what a mixer would be given in a step."""

    def __init__(self):
        self.stats, self.text = [], []

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.stats.append(InputStats.of_running_task())
        self.text.append(runner.message_hub.get_info('cfg'))


def test_a_resumed_run_with_another_preprocessor_normalises_by_its_own(method_runner):
    method_runner('mixup').train()
    ask = Ask()
    options = {'data_preprocessor.std': [99.0], 'resume': True}
    runner = method_runner('mixup', epochs=2, hooks=(ask,), **options)
    runner.train()
    assert len(ask.stats) == 2
    assert {stats.std for stats in ask.stats} == {(99.0,)}
    assert set(ask.text) == {runner.cfg.pretty_text}
