"""mmtmix.visualization.real_images; tests of tools/visualize_mix.py cover the rest."""

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope

from mmtmix.datasets import FashionMNISTIdx
from mmtmix.visualization import denormalize, load_images


@pytest.fixture(autouse=True)
def _scope():
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        yield


def config(dataset, **more):
    loader = dict(dataset=dataset)
    return Config(dict(model=dict(), train_dataloader=loader, val_dataloader=loader, **more))


@pytest.fixture
def fashion():
    """A config of the bundled images without a normalisation or a number of classes."""
    return config(dict(type='FashionMNISTIdx', pipeline=[dict(type='PackInputs')]))


def test_images_come_in_groups_with_their_own_first(fashion):
    images = load_images(fashion, num_mix=3, num=4)
    assert images.inputs.shape == (12, 1, 28, 28) and images.scores.shape == (12, 10)
    assert images.index[:, 0].tolist() == list(range(12))
    for row, members in enumerate(images.index.sort(dim=1).values.tolist()):
        assert members == [row // 3 * 3 + j for j in range(3)]
    assert list(images.rows) == [0, 3, 6, 9]
    assert not any(images.stats.mean) and images.channel_order == 'rgb'


def test_groups_are_of_different_images_and_classes(fashion):
    images = load_images(fashion, num_mix=10, num=20)
    assert len({image.numpy().tobytes() for image in images.inputs}) == 200
    for labels in images.scores.argmax(dim=1).view(20, 10):
        assert sorted(labels.tolist()) == list(range(10))


def test_names_and_scores_are_those_of_the_images(fashion):
    images = load_images(fashion, num_mix=2, indices=[7, 3])
    data = FashionMNISTIdx(split='train')
    for image, inputs, score, name in zip(
        (7, 3), images.inputs, images.scores, images.names, strict=True
    ):
        assert torch.equal(inputs[0], torch.tensor(data[image]['img']).float())
        label = data[image]['gt_label']
        assert score.tolist() == [float(i == label) for i in range(10)]
        assert name == data.metainfo['classes'][label]


def test_config_is_left_as_it_was(fashion):
    before = fashion.dump()
    load_images(fashion, num_mix=2)
    assert fashion.dump() == before


def test_wrapped_data_sets_are_read_through_the_pipeline_of_the_validation_set(fashion):
    flip = [dict(type='RandomFlip', prob=1.0), dict(type='PackInputs')]
    part = dict(type='FashionMNISTIdx', pipeline=flip)
    both = dict(type='ConcatDataset', datasets=[part, dict(part, split='test')])
    fashion.train_dataloader = dict(dataset=dict(type='RepeatDataset', times=2, dataset=both))
    images = load_images(fashion, num_mix=2, indices=[5000 + 9, 7000 + 3])
    pictures = [FashionMNISTIdx(split=split)[i]['img'] for split, i in (('test', 9), ('train', 3))]
    assert torch.equal(images.inputs[:, 0], torch.from_numpy(np.stack(pictures)).float())


@pytest.mark.parametrize('to_rgb', [False, True])
def test_channel_order_of_files_and_of_images_in_memory(tmp_path, fashion, to_rgb):
    normalization = dict(mean=[1, 2, 3], std=[4, 5, 6], to_rgb=to_rgb)
    pictures = np.random.default_rng(0).integers(0, 256, (2, 8, 10, 3), dtype=np.uint8)
    for name, picture in zip('ab', pictures, strict=True):
        (tmp_path / name).mkdir()
        cv2.imwrite(str(tmp_path / name / '0.png'), picture[..., ::-1])  # takes BGR
    pipeline = [dict(type='LoadImageFromFile'), dict(type='PackInputs')]
    dataset = dict(type='CustomDataset', data_root=str(tmp_path), pipeline=pipeline)
    files = load_images(config(dataset, data_preprocessor=normalization), 2, indices=[0, 1])
    shown = denormalize(files.inputs, files.stats, files.channel_order)
    np.testing.assert_allclose(shown, pictures / 255, atol=1e-6)
    fashion.data_preprocessor = dict(mean=[1], std=[2], to_rgb=to_rgb)
    memory = load_images(fashion, num_mix=2, num=1)
    assert (files.channel_order, memory.channel_order) == (
        ('rgb', 'bgr') if to_rgb else ('bgr', 'rgb')
    )


def test_images_of_different_sizes_are_named(tmp_path):
    for name, size in (('a', 8), ('b', 12)):
        (tmp_path / name).mkdir()
        cv2.imwrite(str(tmp_path / name / '0.png'), np.zeros((size, 10, 3), np.uint8))
    pipeline = [dict(type='LoadImageFromFile'), dict(type='PackInputs')]
    cfg = config(dict(type='CustomDataset', data_root=str(tmp_path), pipeline=pipeline))
    with pytest.raises(ValueError, match=r'\(3, 12, 10\).*add a resize'):
        load_images(cfg, num_mix=2, num=1)
