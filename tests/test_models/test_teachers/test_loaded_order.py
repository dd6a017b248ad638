"""The channel order of what a config's data sets and pipelines load."""

import json

import pytest
from mmcv.transforms import BaseTransform, LoadImageFromFile
from mmengine.config import Config
from mmpretrain.datasets import CIFAR10, BaseDataset
from mmpretrain.registry import DATASETS, TRANSFORMS

from mmtmix.models.teachers import ChannelOrder, dataset_order, loaded_order

pytestmark = pytest.mark.host

LOAD, PACK = dict(type='LoadImageFromFile'), dict(type='PackInputs')
CIFAR = dict(type='CIFAR10', pipeline=[PACK])


@DATASETS.register_module(force=True)
class Undeclared(BaseDataset):
    """Arrays in whatever order."""


class Reordered(CIFAR10):
    """It makes its items otherwise than CIFAR-10."""

    def load_data_list(self):
        return [dict(img=None)]


class Declared(Reordered):
    """It says so."""

    channel_order = 'bgr'


class Chosen(BaseDataset):
    """Its order depends on an argument."""

    @classmethod
    def channel_order(cls, colour='rgb', **kwargs):
        return colour


class Wrong(BaseDataset):
    """Declares what is no order."""

    channel_order = 'RGB'


@TRANSFORMS.register_module(force=True)
class LoadOtherwise(LoadImageFromFile):
    """It decodes by itself."""

    def transform(self, results):
        return results


class LoadRGB(LoadOtherwise):
    """It says in which order."""

    channel_order = 'rgb'


class Noisy(BaseTransform):
    """Keeps the order of channels."""

    def transform(self, results):
        return results


def files(*steps):
    return dict(type='CustomDataset', pipeline=[LOAD, *steps, PACK])


@pytest.mark.parametrize(
    ('dataset', 'expected'),
    [
        (files(), 'bgr'),
        (files(dict(type=Noisy)), 'bgr'),
        (dict(files(), type='mmpretrain.ImageNet'), 'bgr'),
        (dict(files(), type='not.Known'), 'bgr'),
        (dict(type='TinyImageNet', pipeline=[dict(type='CheckedLoadImageFromFile')]), 'bgr'),
        (dict(type='CustomDataset', pipeline=[dict(type='mmcv.LoadImageFromFile')]), 'bgr'),
        (dict(type='CustomDataset', pipeline=[dict(type=LoadImageFromFile)]), 'bgr'),
        (dict(type='CustomDataset', pipeline=[dict(LOAD, imdecode_backend='pillow')]), 'bgr'),
        (dict(type='CustomDataset', pipeline=[dict(LOAD, imdecode_backend='tifffile')]), None),
        (dict(type='CustomDataset', pipeline=[dict(LOAD, color_type='unchanged')]), 'bgr'),
        (dict(type='CustomDataset', pipeline=[dict(type=LoadOtherwise), PACK]), None),
        (dict(type='CustomDataset', pipeline=[dict(type=LoadRGB), PACK]), 'rgb'),
        (CIFAR, 'rgb'),
        (dict(type='mmpretrain.CIFAR100'), 'rgb'),
        (dict(type='mmpretrain.datasets.cifar.CIFAR10'), 'rgb'),
        (dict(type=CIFAR10), 'rgb'),
        (dict(type='ImageNet32'), 'rgb'),
        (dict(type='FashionMNISTIdx'), 'rgb'),
        (dict(type='mmpretrain.FashionMNIST'), 'rgb'),
        (dict(type='Digits'), 'rgb'),
        (dict(type='Undeclared', pipeline=[PACK]), None),
        (dict(type='not.Known'), None),
        (dict(type=Reordered), None),
        (dict(type=Declared), 'bgr'),
        (dict(type=Chosen), 'rgb'),
        (dict(type=Chosen, colour='bgr'), 'bgr'),
        (files(dict(type='Normalize', mean=[0], std=[1])), 'rgb'),
        (files(dict(type='mmcv.Normalize', mean=[0], std=[1], to_rgb=False)), 'bgr'),
        (files(dict(type='NumpyToPIL', to_rgb=True)), 'rgb'),
        (files(dict(type='ToPIL', to_rgb=True), dict(type='ToNumpy', to_bgr=True)), 'bgr'),
        (files(dict(type='NumpyToPIL'), dict(type='PILToNumpy', to_bgr=True)), 'rgb'),
        (files(dict(type='RandomApply', transforms=[dict(type='ToPIL', to_rgb=True)])), None),
        (files(dict(type='RandomApply', transforms=dict(type='RandomFlip', prob=1))), 'bgr'),
        (files(dict(type='RandomChoice', transforms=[[dict(type='RandomFlip')], []])), 'bgr'),
        (files(dict(type='KeyMapper', transforms=[dict(type='ToPIL', to_rgb=True)])), 'rgb'),
        (dict(type='RepeatDataset', times=2, dataset=files()), 'bgr'),
        (dict(type='mmengine.ClassBalancedDataset', dataset=CIFAR), 'rgb'),
        (dict(type='KFoldDataset', dataset=CIFAR), 'rgb'),
        (dict(type='ConcatDataset', datasets=[CIFAR, dict(type='ImageNet32')]), 'rgb'),
        (dict(type='ConcatDataset', datasets=[CIFAR, files()]), None),
    ],
)
def test_order_of_a_data_set(dataset, expected):
    order = dataset_order(dataset)
    assert order.name == expected
    assert (order.reason != ChannelOrder().reason) == (expected is None)


def test_mixed_images_have_the_order_of_their_sources(tmp_path):
    settings = dict(type='MixedImages', data_root=str(tmp_path), pipeline=[PACK])
    missing = dataset_order(settings)
    assert missing.name is None and 'dataset.json' in missing.reason
    described = dict(format=1, num=1, shards=[1], settings_digest='0' * 64, classes=None)
    described |= dict(num_classes=4, num_mix=2, settings={}, statistics={})
    for order in ('rgb', 'bgr'):
        text = json.dumps(dict(described, channel_order=order))
        (tmp_path / 'dataset.json').write_text(text)
        assert dataset_order(settings).name == order


def test_unknown_orders_are_equal_where_the_same_classes_load():
    def differs(one, other):
        return dataset_order(one).differs(dataset_order(other))

    own = dict(type='Undeclared', pipeline=[PACK])
    swapping = dict(own, pipeline=[dict(type='NumpyToPIL', to_rgb=True), PACK])
    assert (
        differs(own, dict(own, data_root='elsewhere', pipeline=[dict(type='RandomFlip'), PACK]))
        is False
    )
    assert differs(own, dict(type='RepeatDataset', dataset=own)) is False
    assert differs(own, swapping) is True
    assert differs(own, dict(own, colour='bgr')) is None
    assert differs(own, dict(own, pipeline=[dict(type=LoadOtherwise), PACK])) is None
    assert differs(own, dict(type=Reordered)) is None
    assert differs(own, CIFAR) is None


def test_the_first_loader_that_has_a_data_set_counts():
    loaders = dict(val_dataloader=dict(dataset=files()), test_dataloader=dict(dataset=CIFAR))
    assert loaded_order(Config(loaders)).name == 'bgr'
    assert loaded_order(Config(dict(loaders, train_dataloader=dict(dataset=CIFAR)))).name == 'rgb'
    assert loaded_order(Config(dict(loaders, train_dataloader=None))).name == 'bgr'
    nothing = loaded_order(Config(dict(model=dict())))
    assert nothing.name is None and nothing.reason == 'the config has no data set'


def test_configs_of_the_newest_style_and_configs_as_text(tmp_path):
    path = tmp_path / 'lazy.py'
    path.write_text(
        'from mmpretrain.datasets import CustomDataset, LoadImageFromFile, PackInputs\n'
        'steps = [dict(type=LoadImageFromFile), dict(type=PackInputs)]\n'
        'train_dataloader = dict(dataset=dict(type=CustomDataset, pipeline=steps))\n'
    )
    cfg = Config.fromfile(path)
    assert loaded_order(cfg).name == 'bgr'
    assert loaded_order(Config.fromstring(cfg.pretty_text, '.py')).name == 'bgr'


def test_a_declaration_that_is_no_order_is_refused():
    with pytest.raises(ValueError, match=r"Wrong.channel_order must be one of .*'RGB'"):
        dataset_order(dict(type=Wrong))
