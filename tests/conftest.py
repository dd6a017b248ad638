"""What tests of several folders need: small teachers on disk and a clean MMEngine."""

from __future__ import annotations

import functools
import gc
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import torch
from mmengine.config import Config
from mmengine.config import config as mmengine_config
from mmengine.hooks import Hook
from mmengine.logging import MessageHub, MMLogger
from mmengine.registry import DefaultScope
from mmengine.runner import Runner
from mmengine.visualization import Visualizer
from mmpretrain.registry import MODELS
from mmpretrain.visualization import UniversalVisualizer
from yapf.yapflib import yapf_api

import mmtmix  # noqa: F401  (registers everything)
from mmtmix.datasets import FashionMNISTIdx
from mmtmix.engine.launch import build_runner
from mmtmix.models import FrozenTeacher
from mmtmix.models.running_config import hand_over
from mmtmix.models.teachers.building import _TEACHERS
from mmtmix.utils import load_config

# The same few examples each time, or by HYPOTHESIS_PROFILE=soak many new ones.
hypothesis.settings.register_profile('few', derandomize=True, deadline=None, max_examples=20)
hypothesis.settings.register_profile('soak', deadline=None, max_examples=500, print_blob=True)
hypothesis.settings.load_profile(os.environ.get('HYPOTHESIS_PROFILE', 'few'))


@pytest.fixture(scope='session', autouse=True)
def _frozen_imports():
    """Keep what is imported out of garbage collections, of which each data set starts one.

    Imports live to the end, and going through them took a third of the tests' time.
    """
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(scope='session', autouse=True)
def _plain_config_text():
    """Print configs without yapf, which takes half a second for each of a Runner's eight texts."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (yapf_api, mmengine_config):  # where the fork and upstream look for it
            patch.setattr(module, 'FormatCode', lambda text, **style: (text, True), raising=False)
        yield


@pytest.fixture(scope='session', autouse=True)
def _one_thread():
    """Networks this small gain nothing from more, and lose a lot on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope='session')
def forget_runs() -> Callable[[], None]:
    """Clear what Runners leave in MMEngine: two of one second and name would share it."""

    def forget() -> None:
        for kind in (MessageHub, MMLogger, DefaultScope, Visualizer, UniversalVisualizer):
            kind._instance_dict.clear()
        _TEACHERS.clear()  # of a run of the same name

    return forget


@pytest.fixture(scope='session')
def wait_for() -> Callable[..., None]:
    """Wait for a file, or for a condition: ``wait_for(path)``; too long a time is an error."""

    def wait(what: Path | Callable[[], object], seconds: float = 120.0) -> None:
        is_there = what.exists if isinstance(what, Path) else what
        deadline = time.monotonic() + seconds
        while not is_there():
            assert time.monotonic() < deadline, f'{what} after {seconds} s'
            time.sleep(0.01)

    return wait


@pytest.fixture(autouse=True)
def _no_run_in_progress(forget_runs):
    """No test sees the config or the scope that an earlier test's Runner left behind."""
    forget_runs()


class GradientWitness(Hook):
    """Keeps the names of parameters that an update of the weights finds without a gradient.

    DDP waits for one of each parameter, unless ``find_unused_parameters`` is set.
    """

    def __init__(self):
        self.updates, self.missing = 0, set()

    def before_train(self, runner: Any) -> None:
        """Watch the updates."""
        step = runner.optim_wrapper.step

        @functools.wraps(step)
        def watched(*args: Any, **kwargs: Any) -> Any:
            self.updates += 1
            for name, weight in runner.model.named_parameters():
                if weight.requires_grad and weight.grad is None:
                    self.missing.add(name)
            return step(*args, **kwargs)

        runner.optim_wrapper.step = watched


@pytest.fixture
def gradient_witness() -> GradientWitness:
    """A hook that finds out whether every update has a gradient for each parameter."""
    return GradientWitness()


class FakeRun:
    """What of a Runner others see of a run in progress."""

    def __init__(self, cfg: dict, name: str):
        self.cfg = Config(cfg)
        self.message_hub = MessageHub.get_instance(name)
        self.message_hub.update_info('loop_stage', 'train')

    def end(self) -> None:
        """Take back what a loop takes back at its end."""
        self.message_hub.pop_info('loop_stage')


@pytest.fixture
def start_run() -> Callable[..., FakeRun]:
    """Let a run of a config be in progress: ``start_run(cfg)``."""
    runs = []

    def start(cfg: dict) -> FakeRun:
        runs.append(FakeRun(cfg, f'run {len(runs)}'))
        hand_over(runs[-1])
        return runs[-1]

    return start


@pytest.fixture
def teacher_config() -> Callable[..., dict]:
    """Make the config of a small WRN: ``teacher_config(num_classes=10, in_channels=3)``."""

    def make(num_classes: int = 10, in_channels: int = 3, **preprocessor) -> dict:
        channels = range(in_channels)
        return dict(
            model=dict(
                type='ImageClassifier',
                backbone=dict(
                    type='WideResNet', depth=10, widen_factor=1, in_channels=in_channels
                ),
                neck=dict(type='GlobalAveragePooling'),
                head=dict(type='LinearClsHead', num_classes=num_classes, in_channels=64),
            ),
            data_preprocessor=dict(
                dict(
                    mean=[120.0 + 3 * channel for channel in channels],
                    std=[60.0 + 2 * channel for channel in channels],
                ),
                **preprocessor,
            ),
        )

    return make


@pytest.fixture
def teacher_args(tmp_path: Path, teacher_config) -> Callable[..., dict]:
    """Make ``dict(config, checkpoint)`` of such a network with random weights, on disk."""

    def make(**kwargs) -> dict:
        config = teacher_config(**kwargs)
        torch.manual_seed(0)
        model = MODELS.build(dict(config['model'], _scope_='mmpretrain'))
        model.init_weights()
        for layer in model.modules():
            if isinstance(layer, torch.nn.BatchNorm2d):
                torch.nn.init.uniform_(layer.running_mean, -0.5, 0.5)
                torch.nn.init.uniform_(layer.running_var, 0.5, 2.0)
        torch.nn.init.normal_(model.head.fc.weight, std=0.5)
        checkpoint = tmp_path / f'teacher{len(list(tmp_path.glob("teacher*")))}.pth'
        torch.save(dict(state_dict=model.state_dict()), checkpoint)
        return dict(config=config, checkpoint=str(checkpoint))

    return make


@pytest.fixture
def make_teacher(teacher_args) -> Callable[..., FrozenTeacher]:
    """Make a small frozen teacher: ``make_teacher(num_classes=10, in_channels=3)``."""
    return lambda **kwargs: FrozenTeacher(**teacher_args(**kwargs))


@pytest.fixture(scope='session')
def fitted_teacher(tmp_path_factory) -> dict[str, Any]:
    """A WRN-10-1 that knows the first 128 training images: a random body, a fitted head."""
    cfg = load_config('configs/simple/wrn16_fashionmnist_mini.py')
    cfg.model.backbone.depth = 10
    samples = list(FashionMNISTIdx(indices=128, serialize_data=False))
    images = torch.stack([torch.from_numpy(sample['img'].copy()) for sample in samples])
    labels = torch.tensor([sample['gt_label'] for sample in samples])
    stats = cfg.data_preprocessor
    inputs = (images[:, None].float() - stats.mean[0]) / stats.std[0]
    torch.manual_seed(0)
    model = MODELS.build(dict(cfg.model, _scope_='mmpretrain'))
    model.init_weights()
    for layer in model.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.momentum = 1.0  # one pass fills the running statistics
    with torch.no_grad():
        model(inputs)
        model.eval()
        features = model.extract_feat(inputs)[-1]
        design = torch.cat([features, torch.ones(len(features), 1)], dim=1)
        wanted = 10 * torch.nn.functional.one_hot(labels, 10).float()
        solution = torch.linalg.lstsq(design, wanted).solution
        model.head.fc.weight.copy_(solution[:-1].T)
        model.head.fc.bias.copy_(solution[-1])
        accuracy = (model(inputs, mode='tensor').argmax(dim=1) == labels).float().mean()
    assert accuracy > 0.7
    checkpoint = tmp_path_factory.mktemp('teacher') / 'fitted.pth'
    torch.save(dict(state_dict=model.state_dict()), checkpoint)
    return dict(config=cfg.to_dict(), checkpoint=str(checkpoint))


@pytest.fixture
def method_runner(tmp_path: Path, forget_runs) -> Callable[..., Runner]:
    """Make a Runner of a demo config on 24 images, 2 steps an epoch, WRN-10-1, in a folder.

    ``method_runner('automix', folder='run', epochs=1, hooks=(), **options)``.
    """

    def make(
        method: str, folder: str = 'run', epochs: int = 1, hooks: tuple = (), **options: Any
    ) -> Runner:
        forget_runs()
        cfg = load_config(f'configs/{method}/wrn16_fashionmnist_mini.py')
        cfg.model.backbone.depth = 10
        for loader in (cfg.train_dataloader, cfg.val_dataloader):
            loader.batch_size = 12
            loader.dataset.update(indices=24, serialize_data=False)
        cfg.train_cfg.update(max_epochs=epochs, val_interval=1)
        cfg.param_scheduler.total_steps = 4  # of a run that may be broken off before
        cfg.default_hooks.logger.interval = 1
        cfg.work_dir, cfg.log_level = str(tmp_path / folder), 'ERROR'
        cfg.merge_from_dict(options)
        runner = build_runner(cfg)
        runner.register_custom_hooks(hooks)
        return runner

    return make
