"""Frozen teachers of any architecture, with random weights."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from mmpretrain.registry import MODELS
from torch import nn

from mmtmix.models import FrozenTeacher

# inputs come as they are
AS_THEY_ARE = dict(mean=[0.0, 0.0, 0.0], std=[1.0, 1.0, 1.0])


@pytest.fixture
def published() -> dict[str, Any]:
    """Arguments of a mixing module by which the published one differs from the default."""
    return dict(
        noise_size=1,
        padding_mode='zeros',
        anchored=False,
        random_orientation=False,
        saliency_noise=0.0,
        mask_size=None,
    )


@pytest.fixture
def freeze(tmp_path: Path) -> Callable[..., FrozenTeacher]:
    """Make a teacher: ``freeze(classifier, **kwargs)`` takes its model dict."""

    def make(classifier: dict, **kwargs) -> FrozenTeacher:
        torch.manual_seed(0)
        model = MODELS.build(dict(classifier, _scope_='mmpretrain'))
        for layer in model.modules():
            if isinstance(layer, nn.BatchNorm2d):
                nn.init.uniform_(layer.running_mean, -0.5, 0.5)
                nn.init.uniform_(layer.running_var, 0.5, 2.0)
            if isinstance(layer, nn.Linear):
                nn.init.normal_(layer.weight, std=0.3)
                if layer.bias is not None:
                    nn.init.normal_(layer.bias)
        checkpoint = tmp_path / 'frozen.pth'
        torch.save(model.state_dict(), checkpoint)
        config = dict(classifier, data_preprocessor=AS_THEY_ARE)
        return FrozenTeacher(config, checkpoint, **kwargs)

    return make


@pytest.fixture
def make_batch() -> Callable[..., tuple[torch.Tensor, torch.Tensor]]:
    """Make inputs and one-hot scores: ``make_batch(num_samples=6, shape=(3, 16, 16))``."""

    def make(
        num_samples: int = 6, shape: tuple[int, ...] = (3, 16, 16), num_classes: int = 10
    ) -> tuple[torch.Tensor, torch.Tensor]:
        generator = torch.Generator().manual_seed(num_samples)
        labels = torch.randperm(num_classes, generator=generator)[:num_samples]
        inputs = torch.randn(num_samples, *shape, generator=generator)
        return inputs, torch.nn.functional.one_hot(labels, num_classes).float()

    return make
