"""Real runs of a student of two layers beside a small teacher, on noise."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmpretrain.datasets import BaseDataset
from mmpretrain.registry import DATASETS
from torch import Tensor, nn

from mmtmix.engine import DistillHook

NUM_CLASSES = 4
STATS = dict(mean=[120.0, 123.0, 126.0], std=[60.0, 62.0, 64.0])  # the small teacher's own


@DATASETS.register_module(force=True)
class Noise(BaseDataset):
    """Random images of four classes, in turn, or without labels."""

    METAINFO = dict(classes=tuple('abcd'))
    channel_order = 'rgb'

    def __init__(
        self, size: int = 12, side: int = 16, seed: int = 0, labelled: bool = True, **kwargs: Any
    ):
        self.size, self.side, self.seed, self.labelled = size, side, seed, labelled
        kwargs.setdefault('pipeline', [dict(type='PackInputs')])
        super().__init__(ann_file='', serialize_data=False, **kwargs)

    def load_data_list(self) -> list[dict]:
        images = np.random.default_rng(self.seed).integers(
            256, size=(self.size, self.side, self.side, 3), dtype=np.uint8
        )
        samples = [dict(img=image) for image in images]
        for number, sample in enumerate(samples if self.labelled else ()):
            sample['gt_label'] = number % NUM_CLASSES
        return samples


@DATASETS.register_module(force=True)
class OneMoreClass(Noise):
    """Random images whose last one has a class that nobody knows."""

    channel_order = 'rgb'

    def load_data_list(self) -> list[dict]:
        samples = super().load_data_list()
        samples[-1]['gt_label'] = NUM_CLASSES
        return samples


class TinyNet(nn.Module):
    """A convolution and an average."""

    def __init__(self, norm: bool = False):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, stride=2)
        self.bn = nn.BatchNorm2d(8) if norm else nn.Identity()

    def forward(self, images: Tensor) -> tuple[Tensor]:
        return (self.bn(self.conv(images)).relu().mean(dim=(2, 3)),)


class Recorder(Hook):
    """Keeps the batches that student and teacher saw, and the student's first weights."""

    priority = 'LOWEST'

    def before_train(self, runner: Any) -> None:
        model = getattr(runner.model, 'module', runner.model)
        self.first = {name: value.clone() for name, value in model.state_dict().items()}
        self.student, self.teacher = [], []
        self.handles = [_record(getattr(model, 'backbone', None) or model.model, self.student)]
        for hook in runner.hooks:
            if isinstance(hook, DistillHook):
                frozen = hook.objective.teacher.model
                self.frozen = {name: value.clone() for name, value in frozen.state_dict().items()}
                self.handles.append(_record(frozen.backbone, self.teacher))

    def after_train(self, runner: Any) -> None:
        for handle in self.handles:
            handle.remove()


def _record(module: nn.Module, seen: list[Tensor]) -> Any:
    return module.register_forward_pre_hook(lambda module, args: seen.append(args[0].clone()))


def make_loader(batch_size: int, shuffle: bool, **dataset: Any) -> dict:
    return dict(
        batch_size=batch_size,
        num_workers=0,
        collate_fn=dict(type='default_collate'),
        sampler=dict(type='DefaultSampler', shuffle=shuffle),
        dataset=dict(dict(type='Noise'), **dataset),
    )


@pytest.fixture
def teacher(teacher_args) -> dict:
    """A teacher of the four classes, on disk."""
    return dict(teacher_args(num_classes=NUM_CLASSES), channel_order='rgb')


@pytest.fixture
def student_config() -> Callable[..., dict]:
    """Make a student's config: ``student_config(norm=False, num_classes=4)``."""

    def make(norm: bool = False, num_classes: int = NUM_CLASSES) -> dict:
        return dict(
            type='ImageClassifier',
            backbone=dict(type=TinyNet, norm=norm),
            head=dict(type='LinearClsHead', num_classes=num_classes, in_channels=8),
            data_preprocessor=dict(STATS),
        )

    return make


@pytest.fixture
def distill_runner(tmp_path: Path, forget_runs, teacher, student_config) -> Callable[..., Runner]:
    """Make a Runner of a student, 3 steps of 4 images an epoch, without validation.

    ``distill_runner(hook, epochs=1, hooks=(), norm=False, validate=False, train={}, **runner)``;
    ``hook`` are the arguments of the DistillHook beside the teacher, None runs without it;
    ``train`` goes into the training loader; ``kind`` is the class of the Runner. The runner's
    ``seen`` is a ``Recorder``. It works in ``tmp_path/run``.
    """

    def make(
        hook: dict | None,
        epochs: int = 1,
        hooks: tuple = (),
        norm: bool = False,
        validate: bool = False,
        train: dict | None = None,
        kind: type = Runner,
        **options: Any,
    ) -> Runner:
        forget_runs()
        hooks = list(hooks)
        if hook is not None:
            hooks.append(dict(dict(type='DistillHook', teacher=teacher), **hook))
        settings: dict[str, Any] = dict(
            model=student_config(norm),
            work_dir=str(tmp_path / 'run'),
            train_dataloader=make_loader(4, True) | (train or {}),
            train_cfg=dict(by_epoch=True, max_epochs=epochs, val_interval=1),
            optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1, momentum=0.9)),
            default_hooks=dict(logger=dict(type='LoggerHook', interval=1)),
            default_scope='mmpretrain',
            randomness=dict(seed=0),
            log_level='ERROR',
            # where the teacher finds how inputs are made
            cfg=dict(
                data_preprocessor=STATS,
                train_dataloader=dict(dataset=dict(type='Noise')),
            ),
        )
        if validate:
            settings |= dict(
                val_dataloader=make_loader(4, False, size=10, seed=1),
                val_cfg={},
                val_evaluator=dict(type='Accuracy', topk=1),
            )
        runner = kind(**(settings | options), custom_hooks=hooks)
        runner.seen = Recorder()
        runner.register_hook(runner.seen)
        return runner

    return make


@pytest.fixture
def distill_hook() -> Callable[[Runner], DistillHook]:
    """The DistillHook of a run."""
    return lambda runner: next(hook for hook in runner.hooks if isinstance(hook, DistillHook))


@pytest.fixture
def crd() -> dict:
    """A CRDLoss as small as the data."""
    return dict(type='CRDLoss', feature_dim=4, num_negatives=5)


@pytest.fixture
def scalars() -> Callable[[Runner], dict[str, list[float]]]:
    """What a run logged in every step, by name: ``scalars(runner)['loss_kd']``."""

    def read(runner: Runner) -> dict[str, list[float]]:
        return {
            name.removeprefix('train/'): buffer.data[0].tolist()
            for name, buffer in runner.message_hub.log_scalars.items()
            if name.startswith('train/')
        }

    return read


@pytest.fixture
def same() -> Callable[[dict, dict], bool]:
    """Whether two state dicts are bit for bit the same."""

    def compare(left: dict[str, Tensor], right: dict[str, Tensor]) -> bool:
        return left.keys() == right.keys() and all(
            torch.equal(value, right[name]) for name, value in left.items()
        )

    return compare
