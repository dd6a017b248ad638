"""Tiny sets on the bundled images, and records without images."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmpretrain.structures import DataSample

from mmtmix.apps.generate.folder import SetFolder
from mmtmix.apps.generate.settings import GenerationSettings
from mmtmix.datasets.mixed_shards import MixedRecords, encode_image

STATS = dict(mean=[72.94], std=[90.02])


@pytest.fixture(scope='session')
def make_cfg(fitted_teacher) -> Callable[..., Config]:
    """Make a config with SuperMix: ``make_cfg(mixer=dict(...), num=14, seed=0, ...)``."""

    def make(mixer: dict | None = None, **generation: Any) -> Config:
        mixer = mixer or dict(type='SuperMix', teacher=fitted_teacher, max_iters=5)
        crop = dict(type='RandomCrop', crop_size=28, padding=4)
        train = dict(type='FashionMNISTIdx', indices=64, pipeline=[crop, dict(type='PackInputs')])
        test = dict(type='FashionMNISTIdx', split='test', pipeline=[dict(type='PackInputs')])
        return Config(
            dict(
                default_scope='mmpretrain',
                model=dict(
                    type='ImageClassifier',
                    head=dict(type='LinearClsHead', num_classes=10),
                    train_cfg=dict(augments=mixer),
                ),
                data_preprocessor=dict(num_classes=10, **STATS),
                train_dataloader=dict(dataset=train),
                val_dataloader=dict(dataset=test),
                generation=dict(num=14, shard_size=4, batch_size=8) | generation,
            )
        )

    return make


@pytest.fixture(scope='session')
def make_items() -> Callable[..., list[dict]]:
    """Make items of random images as data sets give them: ``make_items(6, (3, 12, 12))``."""

    def make(num: int, shape: tuple[int, ...] = (3, 12, 12)) -> list[dict]:
        generator = torch.Generator().manual_seed(3)
        images = torch.randint(256, (num, *shape), dtype=torch.uint8, generator=generator)
        samples = [DataSample().set_gt_label(number % 10) for number in range(num)]
        return [dict(inputs=i, data_samples=s) for i, s in zip(images, samples, strict=True)]

    return make


@pytest.fixture(scope='session')
def make_records() -> Callable[..., MixedRecords]:
    """Make n records of two sources: ``make_records(4, classes=...)``."""

    def make(num: int, **fields: Any) -> MixedRecords:
        rng = np.random.default_rng(num)
        targets = rng.dirichlet([1] * 3, num).astype(np.float32)
        values = dict(
            images=[encode_image(np.full((4, 4), 7, dtype=np.uint8), 'rgb')] * num,
            sources=rng.integers(0, 9, (num, 2)),
            flips=np.zeros((num, 2), dtype=bool),
            weights=np.full((num, 2), 0.5, dtype=np.float32),
            classes=rng.integers(0, 3, (num, 2)),
            targets=targets,
            winners=targets.argmax(axis=1),
            iterations=np.ones(num, dtype=np.int64),
            finished=np.ones(num, dtype=bool),
        )
        return MixedRecords(**values | fields)

    return make


@pytest.fixture
def make_folder(tmp_path: Path) -> Callable[..., SetFolder]:
    """Open the folder of a set of shards of 4, 4 and 2: ``make_folder(mixer=dict(k=2))``."""

    def make(num: int = 10, **described: Any) -> SetFolder:
        settings = GenerationSettings(num, shard_size=4)
        return SetFolder(tmp_path / 'set', settings, dict(num=num, mixer=dict(k=2)) | described)

    return make
