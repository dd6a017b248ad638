"""Every `_base_/datasets` config: its fields, and its images where the tool puts them."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmpretrain.registry import DATASETS

import mmtmix  # noqa: F401  (registers everything)
from mmtmix.apps.prepare import DATA_SETS, prepare
from mmtmix.datasets import check_data

pytestmark = pytest.mark.host

FOLDER = Path(__file__).resolve().parents[3] / 'configs' / '_base_' / 'datasets'

CIFAR_10 = ([125.3, 123.0, 113.9], [63.0, 62.1, 66.7])
CIFAR = ([129.3, 124.1, 112.4], [68.2, 65.4, 70.4])
OPENMIXUP = ([125.307, 122.961, 113.8575], [51.5865, 50.847, 51.255])
CIFAR_255 = ([129.3105, 124.1085, 112.404], [68.2125, 65.4075, 70.4055])
IMAGENET = ([123.675, 116.28, 103.53], [58.395, 57.12, 57.375])
HALF = ([127.5] * 3, [127.5] * 3)
FASHION = ([72.94], [90.02])
FASHION_3 = tuple(3 * values for values in FASHION)

# type, folder, training split, test split, batch, statistics, training crop, test size
CONFIGS = {
    'aircraft_transfer': ('FGVCAircraft', 'aircraft', 'trainval', 'test', 64, IMAGENET, 224, 224),
    'cars_transfer': ('StanfordCars', 'cars', 'train', 'test', 64, IMAGENET, 224, 224),
    'cifar100_autoaugment': ('CIFAR100', 'cifar100', 'train', 'test', 128, CIFAR_255, 32, 32),
    'cifar100_openmixup': ('CIFAR100', 'cifar100', 'train', 'test', 100, OPENMIXUP, 32, 32),
    'cifar100_openmixup_224': (
        'CIFAR100',
        'cifar100',
        'train',
        'test',
        100,
        OPENMIXUP,
        224,
        224,
    ),
    'cifar100_puzzle': ('CIFAR100', 'cifar100', 'train', 'test', 100, CIFAR, 32, 32),
    'cifar100_randaugment': ('CIFAR100', 'cifar100', 'train', 'test', 128, CIFAR_255, 32, 32),
    'cifar100_supermix': ('CIFAR100', 'cifar100', 'train', 'test', 64, CIFAR_255, 32, 32),
    'cifar10_puzzle': ('CIFAR10', 'cifar10', 'train', 'test', 100, CIFAR_10, 32, 32),
    'fashionmnist': ('FashionMNISTIdx', 'fashion_mnist', 'train', 'test', 128, FASHION, 28, 28),
    'fashionmnist32': (
        'FashionMNISTIdx',
        'fashion_mnist',
        'train',
        'test',
        128,
        FASHION_3,
        32,
        32,
    ),
    'fashionmnist_mini': ('FashionMNISTIdx', None, 'train', 'test', 128, FASHION, 28, 28),
    'flowers102_818_transfer': (
        'Flowers102Split818',
        'flowers102',
        'trainval',
        'test',
        64,
        IMAGENET,
        224,
        224,
    ),
    'flowers102_transfer': (
        'Flowers102',
        'flowers102',
        'trainval',
        'test',
        64,
        IMAGENET,
        224,
        224,
    ),
    'imagenet_autoaugment': ('ImageNet', 'imagenet', 'train', 'val', 256, IMAGENET, 224, 224),
    'imagenet_puzzle_160': ('ImageNet', 'imagenet', 'train', 'val', 1024, IMAGENET, 128, 224),
    'imagenet_puzzle_352': ('ImageNet', 'imagenet', 'train', 'val', 448, IMAGENET, 224, 224),
    'imagenet_randaugment': ('ImageNet', 'imagenet', 'train', 'val', 256, IMAGENET, 224, 224),
    'imagenet_supermix': ('ImageNet', 'imagenet', 'train', 'val', 256, IMAGENET, 224, 224),
    'pets_transfer': ('OxfordIIITPet', 'pets', 'trainval', 'test', 64, IMAGENET, 224, 224),
    'tiny_imagenet_automix': (
        'TinyImageNet',
        'tiny_imagenet',
        'train',
        'val',
        100,
        IMAGENET,
        64,
        64,
    ),
    'tiny_imagenet_puzzle': ('TinyImageNet', 'tiny_imagenet', 'train', 'val', 100, HALF, 64, 64),
}
# images to train and to test on in the generated archives
SIZES = {
    'cifar10': (10, 2),
    'cifar100': (2, 2),
    'tiny_imagenet': (12, 3),
    'flowers102': (4, 2),
    'pets': (3, 2),
    'cars': (3, 2),
    'aircraft': (3, 2),
    'fashion_mnist': (6, 6),
    'imagenet': (3, 2),
}


def read(name):
    return Config.fromfile(str(FOLDER / f'{name}.py'))


def steps(pipeline):
    return {step.type: step for step in pipeline}


def test_every_config_is_in_the_table():
    elsewhere = {'imagenet32_supermix', 'fashionmnist_grid', 'digits_grid', 'scattered_grid'}
    elsewhere |= {'glyphs', 'glyphs48', 'glyphs_demo', 'glyphs_grid'}  # in test_glyphs
    elsewhere |= {'grid', 'transfer'}  # one of the others, by a variant
    assert {path.stem for path in FOLDER.glob('*.py')} == {*CONFIGS, *elsewhere}


@pytest.mark.parametrize('name', CONFIGS)
def test_fields(name):
    kind, root, train_split, test_split, batch, (mean, std), crop, _ = CONFIGS[name]
    cfg = read(name)
    train, val = cfg.train_dataloader, cfg.val_dataloader
    assert (train.dataset.type, val.dataset.type) == (kind, kind)
    assert (train.dataset.split, val.dataset.split) == (train_split, test_split)
    wanted = f'data/{root}' if root else None
    assert train.dataset.get('data_root') == val.dataset.get('data_root') == wanted
    assert train.batch_size == batch
    assert train.sampler == dict(type='DefaultSampler', shuffle=True)
    assert val.sampler == dict(type='DefaultSampler', shuffle=False)
    assert not train.get('persistent_workers', False)
    assert not train.num_workers or train.worker_init_fn.type == 'seed_worker'
    assert cfg.test_dataloader == val and cfg.test_evaluator == cfg.val_evaluator
    assert (cfg.data_preprocessor.mean, cfg.data_preprocessor.std) == (mean, std)
    known = {data_set.name: data_set.classes for data_set in DATA_SETS.values()}
    assert cfg.data_preprocessor.num_classes == known[root or 'fashion_mnist']
    # files are read as BGR, and sets that hold arrays are RGB
    loads = 'CheckedLoadImageFromFile' in steps(train.dataset.pipeline)
    assert cfg.data_preprocessor.to_rgb == loads
    assert loads == ('CheckedLoadImageFromFile' in steps(val.dataset.pipeline))
    assert not [step for step in steps(val.dataset.pipeline) if 'Random' in step]
    assert steps(train.dataset.pipeline)['RandomFlip'].prob == 0.5
    cropping = steps(train.dataset.pipeline)
    resized = cropping.get('RandomResizedCrop', {})
    assert crop == (resized.scale if resized else cropping['RandomCrop'].crop_size)


def test_recipes_differ_where_they_should():
    def crop_of(name):
        return dict(steps(read(name).train_dataloader.dataset.pipeline)['RandomCrop'])

    for name, padding in (('cifar10_puzzle', 2), ('cifar100_puzzle', 2), ('cifar100_supermix', 4)):
        assert crop_of(name) == dict(type='RandomCrop', crop_size=32, padding=padding)
    assert crop_of('tiny_imagenet_puzzle') == dict(type='RandomCrop', crop_size=64, padding=4)
    automix = steps(read('tiny_imagenet_automix').train_dataloader.dataset.pipeline)
    assert automix['RandomResizedCrop'].interpolation == 'bicubic'
    for name, short, least in (
        ('imagenet_puzzle_160', 160, 0.08),
        ('imagenet_puzzle_352', 352, 0.087),
    ):
        loader = read(name).train_dataloader
        phase = steps(loader.dataset.pipeline)
        assert (phase['ResizeEdge'].scale, phase['ResizeEdge'].edge) == (short, 'short')
        assert phase['RandomResizedCrop'].crop_ratio_range == (least, 1.0) and loader.drop_last
    for name in CONFIGS:
        if 'transfer' in name or 'imagenet_' in name[:9]:
            val = steps(read(name).val_dataloader.dataset.pipeline)
            assert (val['ResizeEdge'].scale, val['ResizeEdge'].edge) == (256, 'short')
            assert val['CenterCrop'].crop_size == 224


def test_full_fashion_mnist_is_trained_on_as_its_part():
    full, part = read('fashionmnist'), read('fashionmnist_mini')
    assert full.data_preprocessor == part.data_preprocessor
    assert full.val_evaluator == part.val_evaluator
    for split in ('train', 'val'):
        ours, theirs = full[f'{split}_dataloader'], part[f'{split}_dataloader']
        assert {**ours.dataset, 'data_root': None} == {**theirs.dataset, 'data_root': None}
        assert (ours.batch_size, ours.sampler) == (theirs.batch_size, theirs.sampler)


def test_imagenet32_is_extra_data_beside_cifar100(small, tmp_path, monkeypatch):
    cfg, clean = read('imagenet32_supermix'), read('cifar100_supermix')
    for field in ('data_preprocessor', 'val_dataloader', 'test_dataloader', 'val_evaluator'):
        assert cfg[field] == clean[field]
    train, usual = cfg.train_dataloader, clean.train_dataloader
    dataset = dict(type='ImageNet32', data_root='data/imagenet32', split='train', with_label=False)
    assert train.dataset == {**dataset, 'pipeline': usual.dataset.pipeline}
    assert {**train, 'dataset': 0} == {**usual, 'dataset': 0, 'batch_size': 128}
    monkeypatch.chdir(tmp_path)
    data_set, store = small('imagenet32')
    prepare(data_set, 'data/imagenet32', sorted(store.iterdir()), report=lambda text: None)
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        images = DATASETS.build(train.dataset)
    assert len(images) == 30
    assert images[0]['inputs'].shape == (3, 32, 32)
    assert 'gt_label' not in images[0]['data_samples']


def write_imagenet(root):
    """ImageNet with lists, which does without a folder for each of the 1,000 classes."""
    for split, count in (('train', 3), ('val', 2)):
        (root / split).mkdir(parents=True)
        lines = []
        for i in range(count):
            image = np.full((300, 400, 3), i, np.uint8)
            cv2.imwrite(str(root / split / f'{i}.jpg'), image)
            lines.append(f'{i}.jpg {i * 400}')
        (root / 'meta').mkdir(exist_ok=True)
        (root / 'meta' / f'{split}.txt').write_text('\n'.join(lines))


@pytest.mark.parametrize('name', [name for name in CONFIGS if '818' not in name])
def test_images_are_found_where_the_tool_puts_them(name, small, tmp_path, monkeypatch):
    kind, root, *_, crop, size = CONFIGS[name]
    monkeypatch.chdir(tmp_path)
    if root == 'imagenet':
        write_imagenet(tmp_path / 'data' / 'imagenet')
    elif root:
        data_set, store = small(root)
        prepare(data_set, f'data/{root}', sorted(store.iterdir()), report=lambda text: None)
    if kind.startswith('CIFAR'):  # whose files must have the official checksums
        cls = DATASETS.get(kind)
        for listed in ('train_list', 'test_list'):
            entries = [[file, None] for file, _ in getattr(cls, listed)]
            monkeypatch.setattr(cls, listed, entries)
    cfg = read(name)
    check_data(cfg)
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        train, test = (
            DATASETS.build(cfg[f'{split}_dataloader'].dataset) for split in ('train', 'test')
        )
    assert (len(train), len(test)) == SIZES.get(root, (5000, 2000))
    assert train[0]['inputs'].shape[1:] == (crop, crop)
    assert test[0]['inputs'].shape[1:] == (size, size)
    classes = cfg.data_preprocessor.num_classes
    for dataset in (train, test):
        assert dataset.get_gt_labels().max() < classes
    paths = [
        {dataset.get_data_info(i).get('img_path', i) for i in range(len(dataset))}
        for dataset in (train, test)
    ]
    assert kind in ('CIFAR10', 'CIFAR100', 'FashionMNISTIdx') or not paths[0] & paths[1]
