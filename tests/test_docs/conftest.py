"""Folders in which the blocks of a page run, with what its marks ask for."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from mmtmix.cli.main import call
from mmtmix.models import FrozenTeacher

CLASSES = ('Grünfink & Co', 'O\'Brien "red"', 'owl <b>')
STUDENT = """# A tiny student, whose teacher and mixing module are made first.
_base_ = './teacher.py'

from mmtmix.recipes import stage, transformmix

teacher = stage('teacher.py', 'last.pth')
search = stage('search.py', 'mixer.pth')
requires = [teacher, search]
model = dict(train_cfg=dict(augments=transformmix(search, teacher), probs=[0.5]))
train_dataloader = dict(dataset=dict(indices=128))
train_cfg = dict(max_epochs=2)
param_scheduler = dict(total_steps=2)
"""
TEACHER = """# A tiny teacher on 512 images of Fashion-MNIST.
_base_ = 'mmtmix::simple/wrn16_fashionmnist_mini.py'

train_dataloader = dict(batch_size=32, num_workers=0, dataset=dict(indices=512))
val_dataloader = dict(batch_size=32, num_workers=0, dataset=dict(indices=64))
test_dataloader = val_dataloader
train_cfg = dict(max_epochs=3, val_interval=1)
param_scheduler = dict(total_steps=3)
default_hooks = dict(logger=dict(interval=2))
"""
SEARCH = """# A tiny search.
_base_ = 'mmtmix::transformmix/search_wrn16_fashionmnist_mini.py'

from mmtmix.recipes import stage, teacher_from

teacher = stage('teacher.py', 'last.pth')
requires = [teacher]
model = dict(teacher=teacher_from(teacher))
train_dataloader = dict(batch_size=32, num_workers=0, dataset=dict(indices=128))
val_dataloader = dict(batch_size=32, num_workers=0, dataset=dict(indices=64))
test_dataloader = val_dataloader
train_cfg = dict(max_epochs=1, val_interval=1)
default_hooks = dict(logger=dict(interval=2))
"""
# the same runs under the names that they would have in this library
LINKS = {
    'simple/wrn16_fashionmnist_mini': 'teacher',
    'transformmix/search_wrn16_fashionmnist_mini': 'search',
    'transformmix/wrn16_fashionmnist_mini': 'student',
}


def make_photos(folder: Path) -> None:
    """Write 24 colour images of three classes, 18 to train on and 6 to validate."""
    rng = np.random.default_rng(0)
    for part, count in (('train', 6), ('val', 2)):
        for number, name in enumerate(CLASSES):
            place = folder / 'photos' / part / name
            place.mkdir(parents=True)
            for i in range(count):
                image = rng.integers(0, 60, (64, 64, 3))
                image[8 * i : 8 * i + 24, 8:56, number] += 180
                written = cv2.imencode('.jpg', image.astype(np.uint8))[1]
                (place / f'{name} no. {i} (ä).jpg').write_bytes(written.tobytes())


@pytest.fixture(scope='session')
def trained_runs(tmp_path_factory) -> Path:
    """A folder with three configs and ``work_dirs`` of the runs that they describe."""
    folder = tmp_path_factory.mktemp('trained')
    for name, text in (('teacher', TEACHER), ('search', SEARCH), ('student', STUDENT)):
        (folder / f'{name}.py').write_text(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv('LOCAL_RANK', '0')
        patch.setenv('MMTMIX_MALLOPT', '0')
        call('train', ['student.py'])
    for link, name in LINKS.items():
        path = folder / 'work_dirs' / link
        path.parent.mkdir(exist_ok=True)
        path.symlink_to(f'../{name}')
    return folder


@pytest.fixture(scope='session')
def page_folder(tmp_path_factory) -> Callable[[tuple[str, ...]], Path]:
    """Make the folder of a page: ``page_folder(fixtures, trained)``."""

    def make(fixtures: tuple[str, ...], trained: Path | None) -> Path:
        folder = tmp_path_factory.mktemp('page')
        if 'photos' in fixtures:
            make_photos(folder)
        if trained is not None:
            shutil.copytree(trained, folder, symlinks=True, dirs_exist_ok=True)
        return folder

    return make


def tensors() -> dict[str, Any]:
    """Return what ``<!-- fixture: tensors -->`` names: a batch, a network, a teacher, a loader."""
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(8, 3, 32, 32, generator=generator)
    labels = torch.arange(8) % 4
    torch.manual_seed(0)
    return dict(
        inputs=inputs,
        labels=labels,
        one_hot_labels=torch.nn.functional.one_hot(labels, 4).float(),
        network=small_network(),
        teacher=FrozenTeacher(
            model=small_network(), mean=[120.0] * 3, std=[60.0] * 3, channel_order='rgb'
        ),
        loader=DataLoader(TensorDataset(inputs, labels), batch_size=4),
    )


def small_network() -> torch.nn.Module:
    """Return a network of four classes whose class activation maps exist."""
    return torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3, stride=2, padding=1),
        torch.nn.BatchNorm2d(8),
        torch.nn.ReLU(),
        torch.nn.Conv2d(8, 16, 3, stride=2, padding=1),
        torch.nn.ReLU(),
        torch.nn.AdaptiveAvgPool2d(1),
        torch.nn.Flatten(),
        torch.nn.Linear(16, 4),
    )
