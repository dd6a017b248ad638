"""The main job in small: three configs that inherit from the demo's, and ways to launch them."""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import io
import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from mmtmix.cli.main import COMMANDS, call
from mmtmix.program import TOOLS as SCRIPTS

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ('train', 'test', 'generate_mixed', 'benchmark_mixers')
MODULES = Path(__file__).resolve().parent / 'modules'

SMALL = """
_base_ = {base!r}
custom_imports = ['mmtmix', 'witnesses']
custom_hooks = {hooks!r}
train_dataloader = dict(batch_size={batch_size}, dataset=dict(indices=256))
val_dataloader = dict(batch_size=64, dataset=dict(indices=128))
test_dataloader = val_dataloader
train_cfg = dict(max_epochs=2, val_interval=1)
default_hooks = dict(logger=dict(interval=1))
"""
CLASSIFIER = """
model = dict(backbone=dict(depth=10))
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(lr=0.05))
param_scheduler = dict(total_steps=2, eta_max=0.1)
"""
FILES = """
teacher = 'configs/simple/teacher.py'
checkpoint = 'work_dirs/simple/teacher/last.pth'
requires = [dict(config=teacher, produces=checkpoint)]
"""
SEARCH = """
model = dict(
    teacher=dict(config=teacher, checkpoint=checkpoint), mixer=dict(transform='stn')
)
"""
MIX = """
mixer = 'work_dirs/transformmix/search_tiny/mixer.pth'
requires.append(dict(config='configs/transformmix/search_tiny.py', produces=mixer))
augments = dict(mixer=mixer, teacher=dict(config=teacher, checkpoint=checkpoint))
# every batch, where the demo mixes every other one
model = dict(backbone=dict(depth=10), train_cfg=dict(augments=augments, probs=[1.0]))
"""
SIMPLE = """
_base_ = {base!r}
model = dict(backbone=dict(depth=10))
train_dataloader = dict(batch_size=16, dataset=dict(indices=64))
val_dataloader = dict(batch_size=64, dataset=dict(indices=64))
test_dataloader = val_dataloader
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(lr=0.05))
param_scheduler = dict(total_steps=4, eta_max=0.1)
train_cfg = dict(max_epochs=4, val_interval=2)
default_hooks = dict(logger=dict(interval=1))
"""


@pytest.fixture(scope='session')
def write_job() -> Callable[..., None]:
    """Write ``configs/transformmix/tiny.py`` and what it requires into a folder."""

    def write(folder: Path, hooks: Sequence[str] = ('Sabotage',), batch_size: int = 16) -> None:
        for name, base, *parts in (
            ('simple/teacher', 'simple/wrn16', CLASSIFIER),
            ('transformmix/search_tiny', 'transformmix/search_wrn16', FILES, SEARCH),
            ('transformmix/tiny', 'transformmix/wrn16', CLASSIFIER, FILES, MIX),
        ):
            base = str(ROOT / 'configs' / f'{base}_fashionmnist_mini.py')
            hooks_cfg = [dict(type=hook) for hook in hooks]
            head = SMALL.format(base=base, hooks=hooks_cfg, batch_size=batch_size)
            path = folder / 'configs' / f'{name}.py'
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(''.join([head, *parts]))

    return write


class Tool:
    """A command under the name of its script, and what is in its module.

    Args:
        name: Name of the command, such as ``'train'``.
    """

    def __init__(self, name: str):
        self.main = functools.partial(call, name)
        self.module = importlib.import_module(f'mmtmix.apps.{COMMANDS[name].work}')

    def __getattr__(self, name: str) -> Any:
        return getattr(self.module, name)


def load_tool(name: str) -> ModuleType | Tool:
    """Import a script of tools/, or the command that it calls."""
    command = {file: command for command, file in SCRIPTS.items()}.get(f'{name}.py')
    if command is not None:
        return Tool(command)
    spec = importlib.util.spec_from_file_location(f'{name}_tool', ROOT / 'tools' / f'{name}.py')
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where dataclasses look for it
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope='session')
def load() -> Callable[[str], ModuleType]:
    """Import a script: ``load('list_zoo')``."""
    return load_tool


@pytest.fixture(scope='session')
def run_tool(forget_runs) -> Callable[..., tuple]:
    """Run a tool in this process: ``run_tool('train', folder, 'configs/x.py', '--amp')``."""
    tools = {name: load_tool(name) for name in TOOLS}

    def run(name: str, folder: Path, *args: str, sabotage: str = '') -> tuple:
        forget_runs()
        out = io.StringIO()
        with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out):
            patch.chdir(folder)
            patch.syspath_prepend(str(MODULES))
            patch.setenv('LOCAL_RANK', '0')
            if sabotage:
                patch.setenv('SABOTAGE', sabotage)
            returned = tools[name].main([str(arg) for arg in args])
        return returned, out.getvalue()

    return run


@pytest.fixture(scope='session')
def spawn() -> Callable[..., subprocess.CompletedProcess]:
    """Run a command as a user would, with this Python first on the path."""

    def run(folder: Path, *command: str, timeout: float = 300, **env: str):
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ['PATH']])
        env = dict(PYTHONPATH=f'{ROOT}{os.pathsep}{MODULES}', OMP_NUM_THREADS='1', PATH=path) | env
        return subprocess.run(
            [str(part) for part in command],
            cwd=folder,
            env=os.environ | env,
            timeout=timeout,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    return run


@pytest.fixture(scope='session')
def write_supermix(fitted_teacher) -> Callable[..., None]:
    """Copy the configs of SuperMix into a folder, with small numbers, and their teacher's."""
    numbers = (
        ('num=5000', 'shard_size=2, batch_size=8, num=24'),
        ('num_clean=5000, num_mixed=5000', 'num_clean=64, num_mixed=24'),
    )

    def write(folder: Path, with_teacher: bool = True) -> None:
        configs = folder / 'configs'
        shutil.copytree(ROOT / 'configs' / 'supermix', configs / 'supermix')
        for path in (configs / 'supermix').glob('*.py'):
            text = path.read_text()
            for number, small in numbers:
                text = text.replace(number, small)
            path.write_text(text)
        base = str(ROOT / 'configs' / 'simple' / 'wrn16_fashionmnist_mini.py')
        (configs / 'simple').mkdir()
        teacher = configs / 'simple' / 'wrn16_fashionmnist_mini.py'
        teacher.write_text(SIMPLE.format(base=base))
        if with_teacher:
            checkpoint = folder / 'work_dirs' / 'simple' / teacher.stem / 'last.pth'
            checkpoint.parent.mkdir(parents=True)
            shutil.copy(fitted_teacher['checkpoint'], checkpoint)

    return write


@pytest.fixture(scope='session')
def main_job(tmp_path_factory, write_job, run_tool) -> tuple[Path, str]:
    """The main job done without a break: its folder, and what it printed."""
    folder = tmp_path_factory.mktemp('main_job')
    write_job(folder)
    _, printed = run_tool('train', folder, 'configs/transformmix/tiny.py')
    return folder, printed


def write_cifar(folder: Path, files: dict[str, int], classes: Sequence[int], kind: str) -> None:
    """Write images whose colour says their class, in the layout of CIFAR's Python files.

    Args:
        folder: Where ``cifar-10-batches-py`` or ``cifar-100-python`` is.
        files: Number of images by file name.
        classes: The labels to use.
        kind: ``'labels'`` for CIFAR-10, ``'fine_labels'`` for CIFAR-100.
    """
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for name, count in files.items():
        labels = [int(classes[i % len(classes)]) for i in range(count)]
        colours = [[label * 37 % 256, label * 91 % 256, label * 53 % 256] for label in labels]
        images = np.repeat(np.array(colours)[:, :, None], 1024, axis=2)
        images = np.clip(images + rng.integers(-40, 40, images.shape), 0, 255)
        content = dict(data=images.reshape(count, 3072).astype(np.uint8)) | {kind: labels}
        if kind == 'fine_labels':
            content['coarse_labels'] = [label // 5 for label in labels]
        # the official files are Python 2's, and read alike: as latin1 the keys are str
        (folder / name).write_bytes(pickle.dumps(content, protocol=2))


@pytest.fixture(scope='session')
def cifar_files() -> Callable[..., None]:
    """Write generated CIFAR files: ``cifar_files(folder, {'train': 64}, range(10), 'labels')``."""
    return write_cifar
