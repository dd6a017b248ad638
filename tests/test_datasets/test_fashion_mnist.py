"""FashionMNISTIdx: the bundled subset, folders of IDX files, and what can be wrong with them."""

import gzip
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from mmengine.runner import Runner
from mmpretrain.datasets import FashionMNIST
from mmpretrain.registry import DATASETS

import mmtmix.datasets
from mmtmix.datasets.fashion_mnist import BUNDLED_ROOT, FashionMNISTIdx
from mmtmix.datasets.sources import idx_files, read_idx

NAMES = {
    'train': ('train-images-idx3-ubyte', 'train-labels-idx1-ubyte'),
    'test': ('t10k-images-idx3-ubyte', 't10k-labels-idx1-ubyte'),
}
COUNTS = {'train': 40, 'test': 20}
PIPELINE = [
    {'type': 'RandomCrop', 'crop_size': 28, 'padding': 2},
    {'type': 'RandomFlip', 'prob': 0.5},
    {'type': 'PackInputs'},
]


def write_idx(root, name, array, *, zipped=True):
    header = struct.pack('>I', 0x0800 + array.ndim) + struct.pack(f'>{array.ndim}I', *array.shape)
    data = header + array.tobytes()
    path = root / (f'{name}.gz' if zipped else name)
    path.write_bytes(gzip.compress(data) if zipped else data)
    return path


def write_official(root, *, zipped=True):
    arrays = {}
    for seed, (split, count) in enumerate(COUNTS.items()):
        rng = np.random.RandomState(seed)
        images = rng.randint(0, 256, (count, 28, 28)).astype(np.uint8)
        arrays[split] = images, rng.randint(0, 10, count).astype(np.uint8)
        for name, array in zip(NAMES[split], arrays[split], strict=True):
            write_idx(root, name, array, zipped=zipped)
    return arrays


def test_bundled_sizes_and_balance():
    for split, size in (('train', 5000), ('test', 2000)):
        dataset = FashionMNISTIdx(split=split)
        labels = dataset.get_gt_labels()
        assert len(dataset) == size
        # Classes take turns: every prefix is balanced to within one image.
        assert labels.tolist() == [i % 10 for i in range(size)]
        images = np.stack([dataset.get_data_info(i)['img'] for i in range(0, size, 50)])
        assert images.min() == 0 and images.max() == 255 and 50 < images.mean() < 95
    assert dataset.metainfo['classes'] == tuple(FashionMNIST.METAINFO['classes'])


def test_bundled_prefix_is_balanced():
    labels = FashionMNISTIdx(indices=1000).get_gt_labels()
    assert np.bincount(labels).tolist() == [100] * 10


def test_bundled_images_are_distinct():
    train, test = (
        {item['img'].tobytes() for item in FashionMNISTIdx(split=split)}
        for split in ('train', 'test')
    )
    assert len(train) == 5000 and len(test) == 2000
    assert not train & test


def test_bundled_folder_is_small_and_licensed():
    files = {path.name: path for path in BUNDLED_ROOT.iterdir()}
    idx = {f'{name}.gz' for names in NAMES.values() for name in names}
    assert set(files) == idx | {'LICENSE', 'README.md'}
    assert sum(path.stat().st_size for path in files.values()) < 4_000_000
    licence = files['LICENSE'].read_text()
    assert 'MIT License' in licence
    assert 'Copyright (c) 2017 Zalando SE, https://tech.zalando.com' in licence
    assert '--train 5000 --test 2000 --seed 0' in files['README.md'].read_text()


@pytest.mark.parametrize('zipped', [True, False])
def test_folder_items_equal_what_was_written(tmp_path, zipped):
    arrays = write_official(tmp_path, zipped=zipped)
    for split, count in COUNTS.items():
        for options in ({}, {'test_mode': True}, {'serialize_data': False}):
            dataset = FashionMNISTIdx(tmp_path, split=split, **options)
            assert len(dataset) == count
            for i, (image, label) in enumerate(zip(*arrays[split], strict=True)):
                item = dataset.get_data_info(i)
                assert item['img'].dtype == np.uint8 and item['img'].shape == (28, 28)
                assert np.array_equal(item['img'], image)
                assert type(item['gt_label']) is int and item['gt_label'] == label


@pytest.mark.parametrize('serialize', [True, False])
def test_item_may_be_written_to(tmp_path, serialize):
    arrays = write_official(tmp_path)
    dataset = FashionMNISTIdx(str(tmp_path), serialize_data=serialize)
    dataset[0]['img'][:] = 7
    assert np.array_equal(dataset[0]['img'], arrays['train'][0][0])


def test_base_dataset_options(tmp_path, monkeypatch):
    arrays = write_official(tmp_path)
    dataset = FashionMNISTIdx(tmp_path, indices=[3, 5], classes=[str(i) for i in range(10)])
    assert dataset.get_gt_labels().tolist() == arrays['train'][1][[3, 5]].tolist()
    assert ''.join(dataset.CLASSES) == '0123456789'
    assert dataset.get_cat_ids(1) == [int(arrays['train'][1][5])]
    monkeypatch.setenv('HOME', str(tmp_path.parent))
    lazy = FashionMNISTIdx(f'~/{tmp_path.name}', split='test', lazy_init=True)
    assert not lazy._fully_initialized
    assert len(lazy) == COUNTS['test']
    assert str(tmp_path) in repr(lazy) and 'test' in repr(lazy)


@pytest.mark.host
def test_train_and_val_loaders_differ_and_pack():
    loaders = {}
    for split in ('train', 'test'):
        config = {
            'batch_size': 50,
            'num_workers': 0,
            'sampler': {'type': 'DefaultSampler', 'shuffle': False},
            'dataset': {
                'type': 'mmpretrain.FashionMNISTIdx',
                'split': split,
                'indices': 200,
                'pipeline': PIPELINE if split == 'train' else PIPELINE[-1:],
            },
        }
        loaders[split] = Runner.build_dataloader(config)
    batch = next(iter(loaders['train']))
    assert len(batch['inputs']) == 50 and batch['inputs'][0].shape == (1, 28, 28)
    labels = [int(sample.gt_label) for sample in batch['data_samples']]
    assert labels == [i % 10 for i in range(50)]
    raw = {
        split: {loader.dataset.get_data_info(i)['img'].tobytes() for i in range(200)}
        for split, loader in loaders.items()
    }
    assert not raw['train'] & raw['test']


@pytest.mark.parametrize('split', ['val', '', None])
def test_unknown_split(split):
    with pytest.raises(ValueError, match="split must be one of 'train', 'test'"):
        FashionMNISTIdx(split=split)


@pytest.mark.parametrize('data_root', ['', 3, []])
def test_data_root_that_is_no_folder(data_root):
    with pytest.raises((TypeError, ValueError), match='data_root must be a path.*bundled'):
        FashionMNISTIdx(data_root)


@pytest.mark.parametrize('name', ['ann_file', 'data_prefix', 'download'])
def test_arguments_of_the_host_class_are_refused(name):
    with pytest.raises(ValueError, match=f'does not take {name}'):
        DATASETS.build({'type': 'FashionMNISTIdx', name: ''})


@pytest.mark.parametrize('split', ['train', 'test'])
def test_missing_files_are_all_named(tmp_path, split, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError) as error:
        FashionMNISTIdx('nowhere', split=split)
    for text in (str(tmp_path / 'nowhere'), *NAMES['train'], *NAMES['test'], 'apt-get'):
        assert text in str(error.value)


def test_only_the_splits_own_files_are_needed(tmp_path):
    write_official(tmp_path)
    for name in NAMES['test']:
        (tmp_path / f'{name}.gz').unlink()
    assert len(FashionMNISTIdx(tmp_path)) == COUNTS['train']
    with pytest.raises(FileNotFoundError, match='lacks t10k-images'):
        FashionMNISTIdx(tmp_path, split='test')
    assert FashionMNISTIdx.missing_files(tmp_path) == (str(tmp_path), [])
    missing = [f'{name}.gz' for name in NAMES['test']]
    assert FashionMNISTIdx.missing_files(tmp_path, 'test') == (str(tmp_path), missing)


def test_truncated_gzip(tmp_path):
    write_official(tmp_path)
    path = tmp_path / f'{NAMES["train"][0]}.gz'
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(ValueError, match=f'{path.name} is a damaged gzip'):
        FashionMNISTIdx(tmp_path)


@pytest.mark.parametrize('content', [b'', b'no gzip at all', b'\x1f\x8b\x08\x00garbage-garbage'])
def test_damaged_gzip(tmp_path, content):
    write_official(tmp_path)
    path = tmp_path / f'{NAMES["train"][1]}.gz'
    path.write_bytes(content)
    with pytest.raises(ValueError, match=path.name):
        FashionMNISTIdx(tmp_path)


@pytest.mark.parametrize(
    ('edit', 'message'),
    [
        (lambda data: b'\x00\x00\x08\x01' + data[4:], 'not an IDX file'),
        (lambda data: data[:-1], 'truncated or damaged'),
        (lambda data: data + b'\x00', 'truncated or damaged'),
        (lambda data: data[:4] + struct.pack('>I', 41) + data[8:], 'announces 41 items'),
        (lambda data: data[:10], 'ends inside its header'),
        (lambda data: data[:8] + struct.pack('>2I', 56, 14) + data[16:], r'shape \(56, 14\)'),
    ],
)
def test_damaged_images(tmp_path, edit, message):
    write_official(tmp_path, zipped=False)
    path = tmp_path / NAMES['train'][0]
    path.write_bytes(edit(path.read_bytes()))
    with pytest.raises(ValueError, match=message) as error:
        FashionMNISTIdx(tmp_path)
    assert str(path) in str(error.value)


def test_images_and_labels_that_do_not_match(tmp_path):
    write_official(tmp_path)
    write_idx(tmp_path, NAMES['test'][1], np.zeros(19, np.uint8))
    with pytest.raises(ValueError, match=r'20 images but .*t10k-labels.* 19 labels'):
        FashionMNISTIdx(tmp_path, split='test')


def test_label_out_of_range(tmp_path):
    write_official(tmp_path)
    path = write_idx(tmp_path, NAMES['test'][1], np.full(20, 10, np.uint8))
    with pytest.raises(ValueError, match=f'{path.name} holds the label 10'):
        FashionMNISTIdx(tmp_path, split='test')


def test_import_reads_no_data_and_draws_nothing():
    code = (
        'import sys; opened = []; '
        'sys.addaudithook(lambda name, args: opened.append(args[0]) if name == "open" else None); '
        'import mmtmix.datasets; '
        'assert not [f for f in opened if "fashion_mnist_mini" in str(f)], opened; '
        'assert "matplotlib" not in sys.modules'
    )
    root = Path(mmtmix.datasets.__file__).parents[2]
    subprocess.run([sys.executable, '-c', code], check=True, cwd=root)


def test_a_file_that_would_fill_the_memory_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(idx_files, '_MOST_BYTES', 1 << 20)
    path = tmp_path / 'train-labels-idx1-ubyte.gz'
    path.write_bytes(gzip.compress(bytes((0, 0, 8, 1)) + bytes(8 << 20)))
    with pytest.raises(ValueError, match=r'ubyte\.gz unpacks to more than 1 MiB'):
        read_idx(path)
