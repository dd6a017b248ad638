"""check_data: which files it asks for and what it says about them."""

import urllib.request

import pytest
from mmengine.config import Config
from mmengine.dataset import BaseDataset
from mmpretrain.datasets import CIFAR10
from mmpretrain.registry import DATASETS

from mmtmix.datasets import check_data
from mmtmix.datasets.sources import DATA_SETS


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    """Record any attempt to download instead of making it."""
    calls = []
    monkeypatch.setattr(urllib.request, 'urlopen', lambda *args, **kwargs: calls.append(args))
    monkeypatch.delenv('WORLD_SIZE', raising=False)
    return calls


def config(train=None, val=None, test=None):
    fields = {'train': train, 'val': val, 'test': test}
    return Config(
        {f'{key}_dataloader': value and {'dataset': value} for key, value in fields.items()}
    )


def error_of(cfg):
    with pytest.raises(FileNotFoundError) as error:
        check_data(cfg)
    return str(error.value)


def touch(folder, *names):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).touch()


def cifar100(root, **kwargs):
    return {'type': 'CIFAR100', 'data_root': str(root), **kwargs}


@pytest.mark.host
def test_bundled_data_needs_nothing(no_network):
    check_data(config({'type': 'FashionMNISTIdx'}, {'type': 'FashionMNISTIdx', 'split': 'test'}))
    assert not no_network


@pytest.mark.parametrize('cfg', [{}, {'train_dataloader': None}, {'model': {'type': 'x'}}])
def test_nothing_to_check(cfg):
    check_data(Config(cfg))
    check_data(cfg)


def test_a_hook_may_bring_a_loader(tmp_path):
    mixed = {'dataloader': {'dataset': {'type': 'MixedImages', 'data_root': str(tmp_path)}}}
    hooks = [{'type': 'EMAHook'}, {'type': 'DistillHook', 'mixed': mixed}]
    cfg = config({'type': 'FashionMNISTIdx'})
    cfg.custom_hooks = hooks
    text = error_of(cfg)
    assert 'custom_hooks[1].mixed.dataloader.dataset: MixedImages' in text
    # a test, which sees no mixed images
    cfg.train_dataloader = None
    check_data(cfg)


@pytest.mark.parametrize('cfg', [None, 'config.py', [1]])
def test_not_a_config(cfg):
    with pytest.raises(TypeError, match='cfg must be a Config'):
        check_data(cfg)


def test_built_objects_are_left_alone():
    check_data({'train_dataloader': object(), 'val_dataloader': {'dataset': BaseDataset}})


def test_own_check_of_our_class(tmp_path):
    text = error_of(config({'type': 'FashionMNISTIdx', 'data_root': str(tmp_path / 'no')}))
    for part in (
        'train_dataloader.dataset: FashionMNISTIdx',
        f'{tmp_path / "no"} (no such folder)',
        'missing: train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz\n',
        'bundled subset',
    ):
        assert part in text


def test_protocol_gets_the_arguments():
    @DATASETS.register_module(name='_WithProtocol', force=True)
    class WithProtocol:
        data_advice = 'Ask Ann.'

        @classmethod
        def missing_files(cls, root, size=3, **kwargs):
            return root, [f'part{i}' for i in range(size)]

    try:
        text = error_of(config({'type': '_WithProtocol', 'root': '/x', 'size': 2, 'other': 0}))
        assert 'missing: part0, part1\n' in text and 'what to do: Ask Ann.' in text
        check_data(config({'type': '_WithProtocol', 'root': '/x', 'size': 0}))
    finally:
        DATASETS.module_dict.pop('_WithProtocol')


def test_invalid_argument_is_reported_as_such():
    with pytest.raises(ValueError, match='split must be'):
        check_data(config({'type': 'FashionMNISTIdx', 'split': 'val'}))


@pytest.mark.parametrize(
    ('kind', 'folder', 'names'),
    [
        ('CIFAR10', 'cifar-10-batches-py', [f'data_batch_{i}' for i in range(1, 6)]),
        ('CIFAR100', 'cifar-100-python', ['train', 'test']),
        ('MNIST', '', ['train-images-idx3-ubyte', 't10k-labels-idx1-ubyte']),
        ('FashionMNIST', '', ['train-labels-idx1-ubyte', 't10k-images-idx3-ubyte']),
    ],
)
def test_listed_files(tmp_path, no_network, kind, folder, names):
    dataset = {'type': kind, 'data_root': str(tmp_path), 'data_prefix': 'sub', 'download': False}
    text = error_of(config(dataset))
    assert f'folder:  {(tmp_path / "sub" / folder)} (no such folder)' in text
    assert all(name in text for name in names) and '.gz,' not in text
    assert 'download=True' in text and 'http' in text
    assert not no_network

    cls = DATASETS.get(kind)
    listed = [entry[0].removesuffix('.gz') for entry in cls.train_list + cls.test_list]
    touch(tmp_path / 'sub' / folder, *listed[1:])
    text = error_of(config(dataset))
    assert f'missing: {listed[0]}\n' in text and 'no such folder' not in text
    touch(tmp_path / 'sub' / folder, listed[0])
    check_data(config(dataset))


HOST_CLASSES = {one.host_class: name for name, one in DATA_SETS.items() if one.host_class}


@pytest.mark.parametrize('kind', HOST_CLASSES)
def test_advice_names_the_tool_that_gets_the_files(tmp_path, kind):
    root = tmp_path / 'my data'
    dataset = {'type': kind, 'data_root': str(root), 'download': False}
    text = error_of(config(dataset))
    command = f"python tools/prepare_data.py {HOST_CLASSES[kind]} --root '{root}'"
    assert f'. Or run {command}' in text
    assert ('un-gzip the files' in text) == (kind == 'FashionMNIST')


@pytest.mark.parametrize(
    ('kind', 'name', 'folder'),
    [
        ('TinyImageNet', 'tiny_imagenet', '/tiny-imagenet-200'),
        ('ImageNet32', 'imagenet32', ''),
        ('Flowers102Split818', 'flowers102', ''),
        ('FashionMNISTIdx', 'fashion_mnist', ''),
    ],
)
def test_advice_of_our_classes_names_the_folder_before_and_after_the_check(
    tmp_path, kind, name, folder
):
    dataset = {'type': kind, 'data_root': str(tmp_path / 'my data')}
    command = f"python tools/prepare_data.py {name} --root '{tmp_path}/my data{folder}' "
    assert command in error_of(config(dataset))
    with pytest.raises(FileNotFoundError) as error:
        len(DATASETS.build(dataset))
    assert command in str(error.value)


def test_advice_names_no_tool_where_there_is_none(tmp_path):
    for dataset in (
        {'type': 'MNIST', 'data_root': str(tmp_path), 'download': False},
        {'type': 'CustomDataset', 'data_root': str(tmp_path / 'no')},
        {'type': 'FashionMNISTIdx', 'data_root': str(tmp_path)},
    ):
        assert 'Or run' not in error_of(config(dataset))


def test_type_may_be_a_class_or_scoped(tmp_path):
    for kind in (CIFAR10, 'mmpretrain.CIFAR10'):
        cfg = {'val_dataloader': {'dataset': {**cifar100(tmp_path, download=False), 'type': kind}}}
        assert 'val_dataloader.dataset: CIFAR10' in error_of(cfg)


def test_wrappers_are_followed(tmp_path):
    def inner(i):
        return cifar100(tmp_path / str(i), download=False)

    train = {
        'type': 'RepeatDataset',
        'times': 2,
        'dataset': {
            'type': 'ConcatDataset',
            'datasets': [
                inner(0),
                {'type': 'ClassBalancedDataset', 'oversample_thr': 0.1, 'dataset': inner(1)},
            ],
        },
    }
    text = error_of(config(train, {'type': 'KFoldDataset', 'dataset': inner(2)}))
    assert text.startswith('Datasets without their files: 3\n')
    assert '1. train_dataloader.dataset.dataset.datasets[0]: CIFAR100' in text
    assert '2. train_dataloader.dataset.dataset.datasets[1].dataset: CIFAR100' in text
    assert '3. val_dataloader.dataset.dataset: CIFAR100' in text
    for i in range(3):
        assert str(tmp_path / str(i) / 'cifar-100-python') in text


@pytest.mark.parametrize('kind', ['NoSuchDataset', 'nowhere.NoSuchDataset', 'a.b.c'])
def test_unknown_type_is_left_to_the_runner(tmp_path, kind):
    check_data(config({'type': kind, 'data_root': str(tmp_path / 'no')}))


def test_annotation_file_and_folders(tmp_path):
    dataset = {
        'type': 'CustomDataset',
        'data_root': str(tmp_path / 'data'),
        'ann_file': 'meta/train.txt',
        'data_prefix': 'train',
    }
    text = error_of(config(dataset))
    missing = f'{tmp_path}/data/meta/train.txt, {tmp_path}/data/train\n'
    assert f'folder:  {tmp_path}/data (no such folder)' in text
    assert f'missing: {missing}' in text and 'correct data_root' in text

    touch(tmp_path / 'data' / 'meta', 'train.txt')
    assert f'missing: {tmp_path}/data/train\n' in error_of(config(dataset))
    touch(tmp_path / 'data' / 'train')
    check_data(config(dataset))
    check_data(config({**dataset, 'data_prefix': {'img_path': 'train', 'gt_path': None}}))
    text = error_of(config({**dataset, 'data_prefix': {'img_path': 'train', 'gt_path': 'gt'}}))
    assert f'missing: {tmp_path}/data/gt\n' in text


def test_paths_without_a_root(tmp_path, monkeypatch):
    monkeypatch.setenv('HOME', str(tmp_path))
    monkeypatch.chdir(tmp_path)
    touch(tmp_path / 'images')
    dataset = {'type': 'CustomDataset', 'data_prefix': '~/images', 'ann_file': 'ann.txt'}
    assert f'missing: {tmp_path}/ann.txt\n' in error_of(config(dataset))
    touch(tmp_path, 'ann.txt')
    check_data(config(dataset))
    absolute = {'data_prefix': str(tmp_path / 'images'), 'ann_file': str(tmp_path / 'ann.txt')}
    check_data(config({**dataset, **absolute, 'data_root': 'unused'}))


def test_relative_root_is_reported_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = error_of(config({'type': 'ImageNet', 'data_root': 'data/imagenet', 'split': 'train'}))
    assert f'missing: {tmp_path}/data/imagenet\n' in text
    assert f'{tmp_path}/mnist (no' in error_of(
        config({'type': 'MNIST', 'data_root': 'mnist', 'download': False})
    )


@pytest.mark.parametrize('root', ['s3://bucket/data', 'http://host/data'])
def test_remote_paths_are_skipped(root, no_network):
    check_data(config({'type': 'ImageNet', 'data_root': root, 'ann_file': 'meta/train.txt'}))
    check_data(config(cifar100(root)))
    check_data(config({'type': 'CustomDataset', 'data_prefix': root, 'ann_file': f'{root}/a.txt'}))
    assert not no_network


@pytest.mark.host
def test_what_a_run_will_have_made_by_then_is_no_problem(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    mixed = {'type': 'MixedImages', 'data_root': 'work_dirs/mixed'}
    other = {'type': 'MixedImages', 'data_root': 'work_dirs/other'}
    cfg = config({'type': 'ConcatDataset', 'datasets': [{'type': 'FashionMNISTIdx'}, mixed]})
    assert 'datasets[1]: MixedImages' in error_of(cfg)
    for folder in ('work_dirs/mixed', './work_dirs/mixed/', str(tmp_path / 'work_dirs' / 'mixed')):
        check_data(cfg, [folder])
        check_data(cfg, ['elsewhere', folder])
    for folders in ((), ('work_dirs',), ('work_dirs/mixed/inner',)):
        with pytest.raises(FileNotFoundError, match='MixedImages'):
            check_data(cfg, folders)
    with pytest.raises(FileNotFoundError, match='without their files: 1\n1.*val_data') as error:
        check_data(config(mixed, other), ['work_dirs/mixed'])
    assert f'{tmp_path}/work_dirs/other' in str(error.value)
