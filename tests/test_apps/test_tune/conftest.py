"""Studies whose searches are functions of their parameters."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import pytest

from mmtmix.apps.tune import Parameter, TuneSettings, trial
from mmtmix.utils.config_options import parse_options

CONFIG = 'configs/transformmix/search_wrn16_fashionmnist_mini.py'
METRIC = 'mix/transformmix/ce'
LR, EPOCHS = 'optim_wrapper.optimizer.lr', 'train_cfg.max_epochs'
SPACE = (Parameter(LR, low=1e-4, high=1e-2, log=True), Parameter(EPOCHS, (2, 4)))


@pytest.fixture
def settings() -> Callable[..., TuneSettings]:
    """Make the settings of a study: ``settings(num_seeds=3)``."""

    def make(**given: Any) -> TuneSettings:
        plain = dict(config=CONFIG, space=SPACE, metric=METRIC, direction='minimize', num_seeds=2)
        return TuneSettings(**plain | given)

    return make


class FakeSearches:
    """Runs that log and export as a search does, in this process.

    Attributes:
        commands: Words of each run.
        value: Function of the options and the epoch that returns the metric.
        before: Function of the options and the epoch that is called before each epoch, and may
            raise, or return an exit status.
    """

    def __init__(self) -> None:
        self.commands: list[list[str]] = []
        self.value = lambda options, epoch: 2 + options[LR] / epoch + options['randomness.seed']
        self.before: Callable[[dict, int], int | None] = lambda options, epoch: None
        self.metric = METRIC

    def __call__(
        self,
        command: Sequence[str],
        env: Mapping[str, str],
        output: IO[bytes],
        is_to_stop: Callable[[], bool] = bool,
        every: float = 1.0,
    ) -> int:
        words = list(command)
        self.commands.append(words)
        folder = Path(words[words.index('--work-dir') + 1])
        options = parse_options(words[words.index('--cfg-options') + 1 :])
        scalars = folder / f'{len(self.commands):08d}' / 'vis_data' / 'scalars.json'
        scalars.parent.mkdir(parents=True)
        done = folder / 'done'
        first = int(done.read_text()) + 1 if done.is_file() else 1
        for epoch in range(first, options[EPOCHS] + 1):
            status = self.before(options, epoch)
            if status is not None:
                output.write(f'the last words of {folder.name}\n'.encode())
                return status
            with scalars.open('a') as file:
                record = {self.metric: self.value(options, epoch), 'step': epoch}
                train = dict(loss=1.0, iter=10 * epoch, epoch=epoch, step=10 * epoch)
                file.write(f'{json.dumps(train)}\n{json.dumps(record)}\n')
            done.write_text(str(epoch))
            if is_to_stop():
                return -15
        (folder / 'mixer.pth').write_text(json.dumps(options))
        return 0


@pytest.fixture
def searches(monkeypatch) -> FakeSearches:
    """Run functions instead of searches, without their required stages."""
    fake = FakeSearches()
    monkeypatch.setattr(trial, 'run_child', fake)
    monkeypatch.setattr(trial, 'plan_stages', lambda *args: [None])
    return fake
