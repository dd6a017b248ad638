"""Work dirs: real ones of a tiny project whose names are hostile, and others written by hand."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from mmtmix.cli.main import call

CLASSES = (
    '<script>alert(1)',
    'Käse & "Brot"',
    "it's a_class_with_a_rather_long_name_of_many_words",
)
CONFIG = """\
model = dict(
    type='ImageClassifier',
    backbone=dict(type='ResNet', depth=18),
    head=dict(type='LinearClsHead', num_classes=10))
train_dataloader = dict(batch_size=16, dataset=dict(type='CustomDataset', data_root='images'))
val_dataloader = dict(dataset=dict(type='CustomDataset', data_root='images'))
train_cfg = dict(by_epoch=True, max_epochs=4)
optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.1))
randomness = dict(seed=3)
"""


@pytest.fixture(scope='session')
def project(tmp_path_factory) -> Path:
    """A folder of images, from which a teacher, a search and two classifiers were trained."""
    folder = tmp_path_factory.mktemp('project')
    rng = np.random.default_rng(0)
    for split, count in (('train', 8), ('val', 6)):
        for number, name in enumerate(CLASSES):
            (folder / 'photos' / split / name).mkdir(parents=True)
            for i in range(count):
                image = rng.integers(0, 90, (20, 24, 3)) + np.eye(3)[number] * 100
                path = folder / 'photos' / split / name / f'{i}.png'
                path.write_bytes(cv2.imencode('.png', image.astype(np.uint8))[1].tobytes())
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv('LOCAL_RANK', '0')
        words = ['--backbone', 'wrn10_1', '--image-size', '32', '--batch-size', '8']
        call('init', ['photos', *words, '--epochs', '6', '--lr', '0.1', '--search-epochs', '1'])
        teacher = Path('configs/photos/teacher.py')  # of which the others inherit
        text = re.sub(r'num_workers=\d+', 'num_workers=0', teacher.read_text(encoding='utf-8'))
        teacher.write_text(text, encoding='utf-8')
        call('train', ['configs/photos/transformmix.py'])
        call('train', ['configs/photos/cutmix.py', '--cfg-options', 'train_cfg.max_epochs=2'])
    return folder


@pytest.fixture
def in_project(project, monkeypatch) -> Path:
    """The project as the present folder."""
    monkeypatch.chdir(project)
    return project


@pytest.fixture
def make_work_dir(tmp_path) -> Callable[..., Path]:
    """Write a work dir: ``make_work_dir(name, config, record, train, val)``; None leaves out."""

    def make(
        name: str = 'run',
        config: str | None = CONFIG,
        record: dict[str, Any] | str | None = None,
        train: list[dict] | None = None,
        val: list[dict] | None = None,
        tail: str = '',
    ) -> Path:
        folder = tmp_path / name
        data = folder / '20260101_000000' / 'vis_data'
        data.mkdir(parents=True)
        if config is not None:
            (data / 'config.py').write_text(config)
        if record is not None:
            text = record if isinstance(record, str) else json.dumps(record)
            (folder / 'run.json').write_text(text)
        if train is not None:
            lines = [json.dumps(line) for line in [*train, *(val or [])]]
            (data / 'scalars.json').write_text('\n'.join([*lines, tail]))
        return folder

    return make


@pytest.fixture
def log() -> Callable[..., dict[str, list[dict]]]:
    """Make the log of four epochs of ten steps: ``log(accuracies)``."""

    def make(accuracies=(10.0, 40.0, 30.0, 35.0), loss=2.0) -> dict[str, list[dict]]:
        steps = range(1, len(accuracies) + 1)
        train = [
            dict(
                lr=0.1, data_time=0.01, loss=loss / e, time=0.1, epoch=e, iter=10 * e, step=10 * e
            )
            for e in steps
        ]
        val = [{'accuracy/top1': a, 'step': e} for e, a in zip(steps, accuracies, strict=True)]
        return dict(train=train, val=val)

    return make


@pytest.fixture
def report(tmp_path) -> Callable[..., str]:
    """Run the command and return its page: ``report(work_dir, ..., '--no-predict')``."""

    def run(*words: str | os.PathLike) -> str:
        out = call('report', [*map(str, words), '--out', str(tmp_path / 'page.html')])
        return out.read_text(encoding='utf-8')

    return run
