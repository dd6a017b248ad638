"""Data paths to time: MMPretrain's loader, ours in memory, and training steps on both."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from mmengine.config import Config
from mmengine.optim import OptimWrapper
from mmengine.registry import DefaultScope
from mmengine.runner import Runner
from mmpretrain.registry import MODELS
from torch import Tensor, nn
from torch.utils.data import DataLoader

from mmtmix.recipes import resident

from .bench import Call

ORDINARY = 'ordinary loader'
RESIDENT = 'resident loader'
BARE_STEP = 'bare step'
BARE_DATA_STEP = 'bare step with cuts and flips'
RESIDENT_STEP = 'step with resident loader'
ORDINARY_STEP = 'step with ordinary loader'


class DataBench:
    """A config's training images by two loaders, and its network three times with one seed.

    Args:
        config: Config of a classifier whose pipeline ``ResidentDataset`` supports.
        device: Device of the images and networks.
        batch_size: Number of images per batch, >= 1.
        seed: Seed of the weights and of the order of images.
    """

    def __init__(self, config: Config, device: str = 'cpu', batch_size: int = 128, seed: int = 0):
        self.config = config
        self.device = device
        self.seed = seed
        plain = dict(copy.deepcopy(config['train_dataloader']), batch_size=batch_size)
        plain |= dict(num_workers=0, persistent_workers=False)
        plain |= dict(collate_fn=dict(type='default_collate'))
        for name in ('worker_init_fn', 'prefetch_factor'):
            plain.pop(name, None)
        memory = resident(plain, device=device, inherits=False)
        with DefaultScope.overwrite_default_scope('mmpretrain'):
            self.ordinary = Runner.build_dataloader(plain, seed=seed)
            self.resident = Runner.build_dataloader(memory, seed=seed)

    def calls(self) -> dict[str, Call]:
        """Return functions by name; each loads one batch or makes one training step.

        A loader's function takes the next batch of an endless stream. ``bare step`` trains the
        network in plain PyTorch on a normalised batch that is there already: no data path is
        cheaper. ``bare step with cuts and flips`` also picks, crops, flips and normalises images
        in a few lines of torch.
        """
        ordinary, memory = _stream(self.ordinary), _stream(self.resident)
        return {
            ORDINARY: lambda: next(ordinary),
            RESIDENT: lambda: next(memory),
            BARE_STEP: self._bare_step(with_data=False),
            BARE_DATA_STEP: self._bare_step(with_data=True),
            RESIDENT_STEP: self._step(self.resident, 'ResidentPreprocessor'),
            ORDINARY_STEP: self._step(self.ordinary, 'ClsDataPreprocessor'),
        }

    def _build(self, preprocessor: str) -> Any:
        settings: Mapping[str, Any] = self.config.get('data_preprocessor') or {}
        model = copy.deepcopy(self.config['model'])
        model['data_preprocessor'] = {**settings, 'type': preprocessor}
        torch.manual_seed(self.seed)
        with DefaultScope.overwrite_default_scope('mmpretrain'):
            return MODELS.build(model).to(self.device).train()

    def _step(self, loader: DataLoader, preprocessor: str) -> Call:
        """Return a step as MMEngine's training loop makes it."""
        model = self._build(preprocessor)
        wrapper = OptimWrapper(_optimizer(model))
        batches = _stream(loader)
        return lambda: model.train_step(next(batches), wrapper)

    def _bare_step(self, with_data: bool) -> Call:
        model = self._build('ClsDataPreprocessor')
        optimizer = _optimizer(model)
        batch = next(iter(self.resident))
        labels = batch['data_samples'].labels[:, 0].to(self.device)
        images = batch['inputs'].to(self.device)
        preprocessor = model.data_preprocessor
        ready = (images - preprocessor.mean) / preprocessor.std

        def call() -> None:
            inputs = ready
            if with_data:
                inputs = (_cut_and_flip(images) - preprocessor.mean) / preprocessor.std
            logits = model(inputs, mode='tensor')
            loss = nn.functional.cross_entropy(logits, labels)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()

        return call


def _optimizer(model: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.SGD(model.parameters(), 1e-4, 0.9, nesterov=True)


def _stream(loader: DataLoader) -> Iterator[Any]:
    """Yield the batches of a loader, pass after pass."""
    while True:
        yield from loader


def _cut_and_flip(images: Tensor, pad: int = 2) -> Tensor:
    """Return randomly cropped and flipped images, as a short script would make them."""
    size = images.shape[-1]
    padded = nn.functional.pad(images, [pad] * 4)
    top, left = torch.randint(2 * pad + 1, (2, len(images)), device=images.device)
    windows = padded.unfold(2, size, 1).unfold(3, size, 1)
    cut = windows[torch.arange(len(images), device=images.device), :, top, left]
    flips = torch.rand(len(images), device=images.device) < 0.5
    return torch.where(flips[:, None, None, None], cut.flip(-1), cut)
