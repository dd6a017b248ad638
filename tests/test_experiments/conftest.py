"""Experiments in small: the same classes, as narrow networks and on eight generated images."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmengine.runner import Runner
from mmpretrain.datasets import BaseDataset
from mmpretrain.registry import DATASETS, MODELS

from mmtmix.datasets.mixed_shards import MixedRecords, encode_image, pack_shard
from mmtmix.engine.launch import build_runner, set_loader_defaults
from mmtmix.utils import load_config

NUM_TRAIN, NUM_VAL, BATCH_SIZE = 8, 4, 4
_VIT = dict(embed_dims=24, num_layers=2, num_heads=2, feedforward_channels=24)
_SWIN = dict(embed_dims=12, depths=[1, 1, 1, 1], num_heads=[1, 2, 2, 3])
# each backbone class that an experiment may have, and what makes it small
_RESNET = dict(depth=18, stem_channels=8, base_channels=8)
NETWORKS = dict(
    WideResNet=dict(depth=10, widen_factor=1),
    PreActResNet=dict(base_channels=8),
    ShakeShake=dict(depth=8, base_channels=18),
    ResNet=_RESNET,
    DeepResNet=_RESNET,
    ResNet_CIFAR=_RESNET,
    CifarResNet=dict(depth=8),
    CifarResNeXt=dict(stem_channels=8, base_channels=8, width_per_group=1, groups=4),
    VisionTransformer=dict(arch=_VIT, patch_size=16),
    SwinTransformer=dict(arch=_SWIN, pad_small_map=True),
    CifarVGG=dict(depth=8),
    CifarMobileNetV2={},
    CifarShuffleNetV1={},
    CifarShuffleNetV2=dict(widen_factor=0.5),
)
# images of the others are files, of any shape
SHAPES = dict(CIFAR10=(32, 32), CIFAR100=(32, 32), ImageNet32=(32, 32), TinyImageNet=(64, 64))
IN_MEMORY = ('CIFAR10', 'CIFAR100', 'ImageNet32', 'MixedImages')
# what the pipelines for larger images resize to or crop, in pixels
SCALES = {352: 100, 256: 72, 224: 64, 160: 48, 128: 40}


def labels_of(num: int, num_classes: int) -> list[int]:
    """From the first class to the last."""
    return [round(i * (num_classes - 1) / (num - 1)) for i in range(num)]


def images_of(labels: list[int], height: int, width: int) -> list[np.ndarray]:
    """Noise around the colour of each class, which crops and flips leave."""
    images = []
    for number, label in enumerate(labels):
        colour = np.random.default_rng(label).integers(40, 216, 3)
        noise = np.random.default_rng(number).integers(-40, 40, (height, width, 3))
        images.append((colour + noise).astype(np.uint8))
    return images


@DATASETS.register_module(force=True)
class GeneratedImages(BaseDataset):
    """Images in memory, under the meta information of another data set."""

    def __init__(self, like: str, num: int, num_classes: int, with_label: bool, pipeline: list):
        self.num, self.with_label = num, with_label
        self.num_classes, self.shape = num_classes, SHAPES.get(like, (80, 100))
        metainfo = DATASETS.get(like).METAINFO
        super().__init__(ann_file='', metainfo=metainfo, pipeline=pipeline)

    @classmethod
    def channel_order(cls, like: str, **kwargs: Any) -> str:
        return 'rgb' if like in IN_MEMORY else 'bgr'

    def load_data_list(self) -> list[dict[str, Any]]:
        labels = labels_of(NUM_TRAIN, self.num_classes)[: self.num]
        items = [dict(img=image) for image in images_of(labels, *self.shape)]
        for item, label in zip(items, labels, strict=True):
            item.update(dict(gt_label=label) if self.with_label else {})
        return items


def small_pipeline(steps: list) -> list:
    """The steps without the loading one, with smaller crops."""
    steps = [step for step in copy.deepcopy(steps) if 'LoadImageFromFile' not in step['type']]
    for step in steps:
        for name in {'scale', 'crop_size'} & set(step):
            step[name] = SCALES.get(step[name], step[name])
            assert step[name] <= 100, 'a size that SCALES should have'
    return steps


def small_dataset(dataset: dict, num: int, num_classes: int, folder: Path) -> dict:
    """Replace a data set, and what a wrapper holds, by generated images."""
    if 'datasets' in dataset:
        num //= len(dataset['datasets'])
        clean = dataset['datasets'][0]['type']
        assert clean != 'MixedImages'
        parts = []
        for part in dataset['datasets']:
            parts.append(small_dataset(dict(part, of=clean), num, num_classes, folder))
        return dict(dataset, datasets=parts)
    dataset = dict(dataset)
    clean, pipeline = dataset.pop('of', dataset['type']), dataset['pipeline']
    # images that are files are loaded, and only they
    assert ('LoadImage' in pipeline[0]['type']) == (dataset['type'] not in IN_MEMORY)
    small = small_pipeline(pipeline)
    if dataset['type'] == 'MixedImages':
        write_mixed_set(folder / 'mixed', num, num_classes, clean)
        return dict(dataset, data_root=str(folder / 'mixed'), pipeline=small)
    with_label = dataset.get('with_label', True)
    return dict(
        type='GeneratedImages',
        like=dataset['type'],
        num=num,
        num_classes=num_classes,
        with_label=with_label,
        pipeline=small,
    )


def write_mixed_set(folder: Path, num: int, num_classes: int, clean: str) -> None:
    """Write a set of mixed images, in one shard, with the class names of its sources."""
    folder.mkdir()
    classes = np.array(labels_of(num, num_classes))
    # mixed after the pipeline of validation
    images = images_of(list(classes), *(SHAPES.get(clean, (64, 64))))
    order = 'rgb' if clean in IN_MEMORY else 'bgr'
    records = MixedRecords(
        images=[encode_image(image, order) for image in images],
        sources=np.zeros((num, 2), dtype=np.int64),
        flips=np.zeros((num, 2), dtype=bool),
        weights=np.full((num, 2), 0.5, dtype=np.float32),
        classes=np.stack([classes, classes], axis=1),
        targets=np.eye(num_classes, dtype=np.float32)[classes],
        winners=classes,
        iterations=np.ones(num, dtype=np.int64),
        finished=np.ones(num, dtype=bool),
    )
    digest = '0' * 64
    (folder / 'shard-00000.safetensors').write_bytes(pack_shard(records, 0, digest))
    described = dict(format=1, num=num, shards=[num], settings_digest=digest)
    described |= dict(num_classes=num_classes, num_mix=2, channel_order=order, settings={})
    names = DATASETS.get(clean).METAINFO.get('classes')
    described |= dict(classes=None if names is None else list(names), statistics={})
    (folder / 'dataset.json').write_text(json.dumps(described))


@cache
def count_channels(text: str) -> int:
    """How many channels a backbone's last map has."""
    backbone = MODELS.build(dict(json.loads(text), _scope_='mmpretrain'))
    with torch.no_grad():
        return backbone(torch.zeros(2, 3, 32, 32))[-1].size(1)


def shrink_network(model: dict) -> None:
    """Make a classifier's network narrow and shallow."""
    backbone, head = model['backbone'], model['head']
    backbone.update(NETWORKS[backbone['type']])
    backbone.pop('init_cfg', None)
    before, head['in_channels'] = head['in_channels'], count_channels(json.dumps(backbone))
    if 'mix_block' in model:
        block = model['mix_block']
        block['in_channels'] = block['in_channels'] * head['in_channels'] // before


def fit_teacher(path: str, checkpoint: Path) -> dict[str, Any]:
    """A small teacher that knows the colours of the generated images: only its head is fitted."""
    cfg = load_config(path)
    model_cfg, stats = cfg.model.to_dict(), cfg.data_preprocessor.to_dict()
    shrink_network(model_cfg)
    side = 32 if cfg.train_dataloader.dataset.type.startswith('CIFAR') else 64
    labels = 8 * labels_of(NUM_TRAIN, stats['num_classes'])
    images = np.stack(images_of(labels, side, side)).transpose(0, 3, 1, 2)
    with DefaultScope.overwrite_default_scope('mmpretrain'), torch.no_grad():
        torch.manual_seed(0)
        model = MODELS.build(dict(model_cfg, data_preprocessor=stats))
        model.init_weights()
        inputs = model.data_preprocessor(dict(inputs=torch.from_numpy(images)))['inputs']
        for layer in model.modules():
            if isinstance(layer, torch.nn.BatchNorm2d):
                layer.momentum = 1.0  # one pass fills the running statistics
        model(inputs)
        features = model.eval().head.pre_logits(model.extract_feat(inputs)).double()
        design = torch.cat([features, torch.ones(len(features), 1)], dim=1)
        wanted = 10 * torch.nn.functional.one_hot(torch.tensor(labels), stats['num_classes'])
        square = design.T @ design
        square += 1e-4 * square.trace() / len(square) * torch.eye(len(square))
        solution = torch.linalg.solve(square, design.T @ wanted.double())
        linear = model.head.fc if hasattr(model.head, 'fc') else model.head.layers.head
        linear.weight.copy_(solution[:-1].T)
        linear.bias.copy_(solution[-1])
        hits = (model(inputs, mode='tensor').argmax(dim=1) == torch.tensor(labels)).float()
    assert hits.mean() > 0.9
    torch.save(dict(state_dict=model.state_dict()), checkpoint)
    loader = dict(dataset=cfg.train_dataloader.dataset.to_dict())  # says the order of channels
    config = dict(model=model_cfg, data_preprocessor=stats, train_dataloader=loader)
    return dict(config=config, checkpoint=str(checkpoint))


@pytest.fixture(scope='session')
def small_teacher(tmp_path_factory) -> Callable[[str], dict[str, Any]]:
    """Make the small teacher of a config, once."""
    folder = tmp_path_factory.mktemp('teachers')
    return cache(lambda path: fit_teacher(path, folder / f'{path.replace("/", "_")}.pth'))


def replace_files(settings: Any, teacher: Callable[[str], dict[str, Any]]) -> None:
    """Replace the files of other runs."""
    if isinstance(settings, dict):
        if isinstance(settings.get('teacher'), dict):
            settings['teacher'].update(teacher(settings['teacher']['config']))
        if isinstance(settings.get('mixer'), str):
            settings['mixer'] = dict(type='TransformMixer', cam_size=20)
    for value in settings.values() if isinstance(settings, dict) else settings:
        if isinstance(value, (dict, list)):
            replace_files(value, teacher)


@pytest.fixture
def small_runner(tmp_path: Path, small_teacher, monkeypatch) -> Callable[[Config], Runner]:
    """Make the Runner of a config in small: one epoch of two iterations."""
    # a Runner lays the config out six times, which takes longer than all else
    for module in ('mmengine.config.config', 'yapf.yapflib.yapf_api'):
        name = f'{module}.FormatCode'
        monkeypatch.setattr(name, lambda text, **style: (text, True), raising=False)

    def make(cfg: Config) -> Runner:
        num_classes = cfg.data_preprocessor.num_classes
        cfg.load_from, cfg.work_dir, cfg.log_level = None, str(tmp_path / 'run'), 'ERROR'
        replace_files([cfg.model, cfg.get('custom_hooks', [])], small_teacher)
        if 'backbone' in cfg.model:
            shrink_network(cfg.model)
        counts = dict(train_dataloader=NUM_TRAIN, val_dataloader=NUM_VAL)
        loaders = [(cfg[name], num) for name, num in counts.items()]
        for hook in cfg.get('custom_hooks', []):
            if 'dataloader' in hook.get('mixed', ()):
                loaders.append((hook.mixed.dataloader, NUM_TRAIN))
        for loader, num in loaders:
            loader.dataset = small_dataset(loader.dataset, num, num_classes, tmp_path)
            if 'batch_size' in loader:
                loader.update(batch_size=BATCH_SIZE, num_workers=0)
        cfg.test_dataloader = cfg.val_dataloader
        cfg.train_cfg.update(max_epochs=1, val_interval=1)
        cfg.default_hooks.logger.interval = 1
        set_loader_defaults(cfg)
        return build_runner(cfg)

    return make
