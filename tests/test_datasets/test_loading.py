"""Images that can't be read are named, by file and item, also behind MMCV's own loading."""

import copy

import cv2
import numpy as np
import pytest
from mmcv.transforms import LoadImageFromFile
from mmengine.config import Config

from mmtmix.datasets import CheckedLoadImageFromFile, build_eval_view, name_image_files
from mmtmix.engine.launch import build_runner

pytestmark = pytest.mark.host

CHECKED = 'mmpretrain.CheckedLoadImageFromFile'
PIPELINE = [dict(type='LoadImageFromFile'), dict(type='PackInputs')]


@pytest.fixture
def images(tmp_path):
    """A folder of four images of two classes, the second of which is empty."""
    for number in range(4):
        path = tmp_path / 'images' / 'ab'[number // 2] / f'{number}.png'
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), np.full((28, 28), 60 * number, np.uint8))
    empty = tmp_path / 'images' / 'a' / '1.png'
    empty.write_bytes(b'')
    return empty


def of_folder(empty, pipeline):
    root = str(empty.parents[1])
    return dict(type='CustomDataset', data_root=root, with_label=True, pipeline=pipeline)


def test_every_form_of_the_stock_loading_is_replaced_and_nothing_else():
    class Own(LoadImageFromFile):
        pass

    kept = [dict(type='LoadAnnotations'), dict(type='NoSuchLoadImageFromFile'), dict(type=Own)]
    stock = [
        dict(type='LoadImageFromFile', color_type='grayscale'),
        dict(type='mmcv.LoadImageFromFile'),
        dict(type=LoadImageFromFile),
    ]
    settings = dict(
        a=dict(dataset=dict(datasets=(dict(pipeline=[*stock, *kept]),))),
        hooks=[dict(type='MultiView', transforms=[[stock[0]]])],
        number=3,
    )
    cfg = Config(copy.deepcopy(settings))
    name_image_files(list(cfg.values()))
    (part,) = cfg.a.dataset.datasets
    assert [step.type for step in part.pipeline[:3]] == [CHECKED] * 3
    assert part.pipeline[0].color_type == 'grayscale'
    assert part.pipeline[3:] == kept
    assert cfg.hooks[0].transforms[0][0].type == CHECKED
    assert cfg.number == 3


def test_a_damaged_image_of_an_eval_view_is_named(images):
    data = of_folder(images, PIPELINE)
    cfg = Config(dict(train_dataloader=dict(dataset=data), val_dataloader=dict(dataset=data)))
    dataset, _ = build_eval_view(cfg, 'train')
    assert cfg.train_dataloader.dataset.pipeline[0].type == 'LoadImageFromFile'
    assert dataset[0]['inputs'].shape == (3, 28, 28)
    with pytest.raises(ValueError) as error:
        dataset[1]
    assert str(error.value) == (
        f'{images} (item 1) cannot be decoded as an image (the file is empty); it is damaged: '
        'unpack or fetch it again.'
    )
    images.write_bytes(b'no image')
    with pytest.raises(ValueError, match=r'1\.png \(item 1\) cannot be decoded .*Error: fa'):
        dataset[1]
    images.unlink()
    with pytest.raises(FileNotFoundError, match=r'1\.png \(item 1\) does not exist; unpack'):
        dataset[1]


def test_a_damaged_image_is_named_in_training(images, tmp_path):
    loader = dict(
        batch_size=2,
        num_workers=1,
        sampler=dict(type='DefaultSampler', shuffle=False),
        dataset=of_folder(images, PIPELINE),
    )
    model = dict(
        type='ImageClassifier',
        backbone=dict(type='WideResNet', depth=10, widen_factor=1),
        neck=dict(type='GlobalAveragePooling'),
        head=dict(type='LinearClsHead', num_classes=2, in_channels=64),
    )
    runner = build_runner(
        Config(
            dict(
                default_scope='mmpretrain',
                model=model,
                data_preprocessor=dict(num_classes=2, mean=[0.0] * 3, std=[1.0] * 3),
                train_dataloader=loader,
                train_cfg=dict(by_epoch=True, max_epochs=1),
                optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1)),
                work_dir=str(tmp_path / 'run'),
                log_level='ERROR',
            )
        )
    )
    with pytest.raises(ValueError, match=r'1\.png \(item 1\) cannot be decoded'):
        runner.train()
    loaded = runner.train_dataloader.dataset.pipeline.transforms[0]
    assert type(loaded) is CheckedLoadImageFromFile
