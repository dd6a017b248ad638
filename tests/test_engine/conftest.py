"""Small runs: a model of two numbers for the hooks, and real searches."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from mmengine.runner import Runner

from mmtmix.engine.launch import build_runner
from mmtmix.utils import load_config, load_safely

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'
SEARCH_CONFIG = CONFIGS / 'transformmix' / 'search_wrn16_fashionmnist_mini.py'


class Probe(BaseModel):
    """Learns one weight, keeps the batches it sees, and can be told to lose NaN."""

    def __init__(self, nan_at: int | None = None):
        super().__init__(data_preprocessor=dict(type='mmpretrain.ClsDataPreprocessor'))
        self.weight = torch.nn.Parameter(torch.tensor(2.0))
        self.spare = torch.nn.Parameter(torch.tensor(3.0))
        self.nan_at = nan_at
        self.seen: list[torch.Tensor] = []

    def forward(self, inputs, data_samples=None, mode='tensor'):
        self.seen.append(inputs.clone())
        loss = (self.weight * inputs.mean() / 255 - 1) ** 2
        return dict(loss=loss * float('nan') if len(self.seen) == self.nan_at else loss)


class StopBefore(Hook):
    """Breaks a run off before an epoch or a step, counted from 0."""

    def __init__(self, epoch=None, step=None):
        self.epoch, self.step = epoch, step

    def before_train_epoch(self, runner):
        if runner.epoch == self.epoch:
            raise KeyboardInterrupt

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if runner.iter == self.step:
            raise KeyboardInterrupt


@pytest.fixture
def stop_before() -> type[StopBefore]:
    """A hook that breaks a run off: ``stop_before(epoch=1)``, ``stop_before(step=4)``."""
    return StopBefore


@pytest.fixture(scope='session', autouse=True)
def _resume_works():
    """As in our tools: upstream's MMEngine can't resume without."""
    load_safely()


@pytest.fixture
def probe_runner(tmp_path: Path, forget_runs) -> Callable[..., Runner]:
    """Make a Runner of a Probe on 48 images, 6 steps an epoch, in ``tmp_path/run``."""

    def make(
        *hooks: Any,
        epochs: int = 2,
        nan_at: int | None = None,
        loader: dict | None = None,
        **kwargs: Any,
    ) -> Runner:
        forget_runs()
        pipeline = [dict(type='RandomCrop', crop_size=28, padding=4), dict(type='PackInputs')]
        settings = dict(
            model=Probe(nan_at),
            work_dir=str(tmp_path / 'run'),
            train_dataloader=dict(
                batch_size=8,
                num_workers=0,
                collate_fn=dict(type='default_collate'),
                sampler=dict(type='DefaultSampler', shuffle=True),
                dataset=dict(
                    type='FashionMNISTIdx', indices=48, pipeline=pipeline, serialize_data=False
                ),
            )
            | (loader or {}),
            train_cfg=dict(by_epoch=True, max_epochs=epochs),
            optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.5)),
            custom_hooks=list(hooks),
            default_scope='mmpretrain',
            randomness=dict(seed=0),
            log_level='ERROR',
        )
        return Runner(**(settings | kwargs))

    return make


@pytest.fixture(scope='session')
def search_runner(fitted_teacher, forget_runs) -> Callable[..., Runner]:
    """Make a Runner of the demo's search with all parts on 64 images, 2 steps an epoch."""

    def make(work_dir: Path, epochs: int = 2, num_workers: int = 0, **options: Any) -> Runner:
        forget_runs()
        cfg = load_config(SEARCH_CONFIG)
        cfg.model.teacher = ConfigDict(fitted_teacher)
        cfg.model.mixer.transform = 'stn'  # the demo does without
        for loader in (cfg.train_dataloader, cfg.val_dataloader):
            loader.batch_size = 32
            loader.dataset.update(indices=64, serialize_data=False)
        cfg.train_dataloader.num_workers = num_workers
        cfg.train_dataloader.worker_init_fn = dict(type='seed_worker')
        cfg.train_cfg.update(max_epochs=epochs, val_interval=1)
        cfg.default_hooks.logger.interval = 1
        cfg.work_dir, cfg.log_level = str(work_dir), 'ERROR'
        cfg.merge_from_dict(options)
        return build_runner(cfg)

    return make
