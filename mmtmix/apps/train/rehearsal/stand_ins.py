"""Stand-ins for a run, its data and its teacher while a config is rehearsed."""

from __future__ import annotations

import logging
import random
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, NoReturn

import numpy as np
import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmengine.visualization import Visualizer
from torch.utils.data import Dataset

from mmtmix.models.teachers import FrozenTeacher

from .problems import UnknownError

_NUM_IMAGES, _NUM_BATCHES = 10**6, 1000


class UnreadDataset(Dataset):
    """A data set that has a length and nothing else."""

    def __len__(self) -> int:
        return _NUM_IMAGES

    def __getitem__(self, index: int) -> NoReturn:
        raise UnknownError('no data are read')

    def __getattr__(self, name: str) -> NoReturn:
        raise UnknownError(name)


class UnreadLoader:
    """A data loader without workers and data, which loops accept."""

    def __init__(self) -> None:
        self.dataset = UnreadDataset()

    def __len__(self) -> int:
        return _NUM_BATCHES

    def __iter__(self) -> NoReturn:
        raise UnknownError('no data are read')

    def __getattr__(self, name: str) -> NoReturn:
        raise UnknownError(name)


class RehearsalRunner(Runner):
    """A Runner that builds the parts of a config but cannot run.

    It has no folder, log, seed or process group. MMEngine's build methods read the private names
    that are set here. Any other name raises :class:`UnknownError`.

    Args:
        cfg: Config of the run.
    """

    def __init__(self, cfg: Config):
        self.cfg = cfg
        self.logger = logging.getLogger('mmtmix.apps.train.rehearsal')
        self.visualizer = SimpleNamespace(dataset_meta=None)
        self._hooks: list[Hook] = []
        self._train_dataloader = self._val_dataloader = self._test_dataloader = UnreadLoader()
        self._train_loop = self._val_loop = self._test_loop = None

    def __getattr__(self, name: str) -> NoReturn:
        raise UnknownError(name)


def unread_teacher() -> FrozenTeacher:
    """Return a teacher without weights, in place of one whose files do not exist yet."""
    return FrozenTeacher.__new__(FrozenTeacher)


@contextmanager
def _any_visualizer() -> Iterator[None]:
    """Provide a visualizer for hooks whose constructor needs one."""
    if Visualizer._instance_dict:  # MMEngine has no public way to find or remove one
        yield
        return
    Visualizer.get_instance('rehearsal')
    try:
        yield
    finally:
        Visualizer._instance_dict.clear()


@contextmanager
def leaving_no_trace() -> Iterator[None]:
    """Restore the random states afterwards, and suppress warnings of what is built."""
    states = random.getstate(), np.random.get_state()  # noqa: NPY002  (MMPretrain draws from it)
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with torch.random.fork_rng(devices=[]), warnings.catch_warnings(), _any_visualizer():
            warnings.simplefilter('ignore')
            yield
    finally:
        logging.disable(before)
        random.setstate(states[0])
        np.random.set_state(states[1])  # noqa: NPY002


def is_instance_of(kind: Any, classes: type | tuple[type, ...]) -> bool:
    """Return whether an object is a class, and a subclass of one of some classes.

    Args:
        kind: Object to check.
        classes: Class or classes to compare with.
    """
    return isinstance(kind, type) and issubclass(kind, classes)
