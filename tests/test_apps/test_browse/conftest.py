"""A folder of colour images of odd class names, and configs that train on it."""

import cv2
import numpy as np
import pytest
from mmengine.config import Config

from mmtmix.cli import main

NAMES = ['Grün & <b>', 'a $5 "note"', 'a name longer than any label can be']
MEAN, STD = [120.0, 110.0, 100.0], [60.0, 62.0, 64.0]


@pytest.fixture
def folder(tmp_path):
    """Images of 24x32 pixels: all red, all green or all blue, a class each."""
    for number, name in enumerate(sorted(NAMES)):
        image = np.full((24, 32, 3), 20, np.uint8)
        image[..., 2 - number] = 220  # OpenCV writes BGR
        for copy in range(4):
            path = tmp_path / 'train' / name.replace('/', '_') / f'{copy}.png'
            path.parent.mkdir(parents=True, exist_ok=True)
            assert cv2.imwrite(str(path), image)
    return tmp_path / 'train'


@pytest.fixture
def browse(folder, tmp_path, forget_runs):
    """Browse a config: ``browse('--num', '6', model__train_cfg=...)`` returns the figures."""

    def call(*options, out='batch.png', **changes):
        cfg = Config(
            dict(
                custom_imports=dict(imports=['mmtmix'], allow_failed_imports=False),
                default_scope='mmpretrain',
                data_preprocessor=dict(num_classes=3, mean=MEAN, std=STD, to_rgb=True),
                model=dict(
                    type='ImageClassifier',
                    backbone=dict(type='WideResNet', depth=10, widen_factor=1),
                    neck=dict(type='GlobalAveragePooling'),
                    head=dict(type='LinearClsHead', num_classes=3, in_channels=64),
                ),
                train_dataloader=dict(
                    batch_size=12,
                    num_workers=2,
                    persistent_workers=True,
                    sampler=dict(type='DefaultSampler', shuffle=True),
                    dataset=dict(
                        type='CustomDataset',
                        data_root=str(folder),
                        pipeline=[dict(type='LoadImageFromFile'), dict(type='PackInputs')],
                    ),
                ),
                train_cfg=dict(by_epoch=True, max_epochs=3),
                optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1)),
                default_hooks=dict(checkpoint=dict(type='CheckpointHook')),
            )
        )
        cfg.merge_from_dict({name.replace('__', '.'): value for name, value in changes.items()})
        cfg.dump(tmp_path / 'config.py')
        words = [str(tmp_path / 'config.py'), '--out', str(tmp_path / out), '--device', 'cpu']
        forget_runs()
        return main.call('browse', [*words, *options])

    return call


@pytest.fixture
def texts():
    """The texts of a figure: ``texts(figure)``."""
    return lambda figure: [text.get_text() for text in figure.texts if text.get_text()]
