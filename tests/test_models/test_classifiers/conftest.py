"""Small classifiers and batches."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from mmpretrain.models import ImageClassifier
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from torch import Tensor

NUM_CLASSES = 4


@pytest.fixture
def make_classifier() -> Callable[..., ImageClassifier]:
    """Make one of WRN-10-1: ``make_classifier('ManifoldMixup', in_channels=3, **settings)``."""

    def make(kind: str, in_channels: int = 3, **settings) -> ImageClassifier:
        config = dict(
            type=kind,
            backbone=dict(type='WideResNet', depth=10, widen_factor=1, in_channels=in_channels),
            neck=dict(type='GlobalAveragePooling'),
            head=dict(type='LinearClsHead', num_classes=NUM_CLASSES, in_channels=64),
        )
        torch.manual_seed(0)
        model = MODELS.build(dict(config, **settings, _scope_='mmpretrain'))
        model.init_weights()
        torch.nn.init.normal_(model.head.fc.weight)
        return model.train()

    return make


@pytest.fixture
def make_batch() -> Callable[..., tuple[Tensor, list[DataSample]]]:
    """Make images and samples: ``make_batch(6, (3, 16, 20), soft=False)``."""

    def make(
        num_samples: int = 6, shape: tuple[int, ...] = (3, 16, 20), soft: bool = False
    ) -> tuple[Tensor, list[DataSample]]:
        generator = torch.Generator().manual_seed(1)
        samples = [DataSample().set_gt_label(i % NUM_CLASSES) for i in range(num_samples)]
        if soft:
            scores = torch.rand(num_samples, NUM_CLASSES, generator=generator).softmax(dim=1)
            for sample, score in zip(samples, scores, strict=True):
                sample.set_gt_score(score)
        return torch.randn(num_samples, *shape, generator=generator), samples

    return make
