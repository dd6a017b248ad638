"""check_data where files can be downloaded, in one process and in two."""

import gzip
import hashlib
import io
import math
import multiprocessing
import os
import pickle
import tarfile
import time
import traceback
import urllib.request

import numpy as np
import pytest
import torch.distributed as torch_dist
from mmengine.config import Config
from mmpretrain.datasets import CIFAR100, MNIST
from mmpretrain.registry import DATASETS

from mmtmix.datasets import check_data
from mmtmix.datasets.host_downloads import TIMEOUT
from mmtmix.datasets.sources import file_md5

URLOPEN = urllib.request.urlopen


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    """Stand in for an unreachable network, and keep the tests from a reachable one."""
    calls = []

    def urlopen(request, *args, timeout=None, **kwargs):
        calls.append((request.full_url, timeout))
        raise urllib.request.URLError('no route to host')

    monkeypatch.setattr(urllib.request, 'urlopen', urlopen)
    for name in ('WORLD_SIZE', 'TORCHELASTIC_RUN_ID'):
        monkeypatch.delenv(name, raising=False)
    return calls


def config(train=None, val=None, test=None):
    fields = {'train': train, 'val': val, 'test': test}
    return Config(
        {f'{key}_dataloader': value and {'dataset': value} for key, value in fields.items()}
    )


def cifar100(root, **kwargs):
    return {'type': 'CIFAR100', 'data_root': str(root), **kwargs}


@pytest.mark.host
def test_failed_download_is_one_error(tmp_path, no_network):
    root = tmp_path / 'cifar100'
    start = time.monotonic()
    with pytest.raises(FileNotFoundError) as error:
        check_data(
            config(
                cifar100(root, split='train', pipeline=[{'type': 'NotATransform'}]),
                cifar100(root, split='test', test_mode=True),
                cifar100(root, split='test', test_mode=True),
            )
        )
    assert time.monotonic() - start < 5
    text = str(error.value)
    assert 'train_dataloader.dataset, val_dataloader.dataset, test_dataloader.dataset' in text
    assert f'download failed: {CIFAR100.url}: URLError: <urlopen error no route to host>' in text
    assert CIFAR100.url in text and str(root / 'cifar-100-python') in text
    # one attempt for the three datasets
    assert no_network == [(CIFAR100.url, TIMEOUT)]
    report = ''.join(traceback.format_exception(error.value))
    assert 'urllib' not in report and 'During handling' not in report


@pytest.fixture
def published(tmp_path, monkeypatch):
    """Small files of CIFAR100 and MNIST at local addresses."""
    store = tmp_path / 'store'
    store.mkdir()
    monkeypatch.setattr(urllib.request, 'urlopen', URLOPEN)
    batch = {'data': np.zeros((2, 3072), np.uint8), 'fine_labels': [0, 1]}
    files = {name: pickle.dumps(batch) for name in ('train', 'test')}
    files['meta'] = pickle.dumps({'fine_label_names': ['a', 'b']})
    with tarfile.open(store / CIFAR100.filename, 'w:gz') as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(f'{CIFAR100.base_folder}/{name}')
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    md5 = {name: hashlib.md5(content).hexdigest() for name, content in files.items()}
    monkeypatch.setattr(CIFAR100, 'url', (store / CIFAR100.filename).as_uri())
    monkeypatch.setattr(CIFAR100, 'tgz_md5', file_md5(store / CIFAR100.filename))
    for name in ('train', 'test'):
        monkeypatch.setattr(CIFAR100, f'{name}_list', [[name, md5[name]]])
    monkeypatch.setattr(CIFAR100, 'meta', {**CIFAR100.meta, 'md5': md5['meta']})

    for name in ('train_list', 'test_list'):
        entries = []
        for number, (file, _) in enumerate(getattr(MNIST, name)):
            shape = (2,) if number else (2, 28, 28)
            head = bytes((0, 0, 8, len(shape))) + np.array(shape, '>u4').tobytes()
            (store / file).write_bytes(gzip.compress(head + bytes(math.prod(shape))))
            entries.append([file, file_md5(store / file)])
        monkeypatch.setattr(MNIST, name, entries)
    monkeypatch.setattr(MNIST, 'url_prefix', f'{store.as_uri()}/')
    return store


@pytest.mark.host
@pytest.mark.parametrize('kind', ['CIFAR100', 'MNIST'])
def test_what_is_missing_is_downloaded_and_mmpretrain_reads_it(tmp_path, published, kind):
    dataset = {'type': kind, 'data_root': str(tmp_path / 'set'), 'data_prefix': 'sub'}
    check_data(config({**dataset, 'lazy_init': True}, {**dataset, 'test_mode': True}))
    for split in ('train', 'test'):
        whole = {**dataset, 'split': split, 'download': False, 'test_mode': split == 'test'}
        assert len(DATASETS.build(whole)) == 2
    for file in published.iterdir():
        file.unlink()
    check_data(config(dataset))  # nothing is fetched again


def test_a_file_with_another_checksum_is_not_kept(tmp_path, published, monkeypatch):
    monkeypatch.setattr(CIFAR100, 'tgz_md5', '0' * 32)
    with pytest.raises(FileNotFoundError, match='download failed: ValueError: .* of MD5 '):
        check_data(config(cifar100(tmp_path / 'set')))
    assert not any((tmp_path / 'set').iterdir())


def test_a_list_without_addresses_is_not_downloaded(tmp_path):
    class Own:
        train_list = [['a', '']]
        test_list = [['b', '']]

    with pytest.raises(FileNotFoundError, match='missing: a, b\n.*fetch its files beforehand'):
        check_data(config({'type': Own, 'data_root': str(tmp_path)}))


def test_no_download_when_ranks_cannot_be_told_apart(tmp_path, monkeypatch, no_network):
    monkeypatch.setenv('WORLD_SIZE', '2')
    monkeypatch.setenv('TORCHELASTIC_RUN_ID', 'none')
    with pytest.raises(FileNotFoundError, match='torch.distributed is not initialised'):
        check_data(config(cifar100(tmp_path)))
    assert not no_network
    monkeypatch.delenv('TORCHELASTIC_RUN_ID')  # a stray number alone hinders nothing
    with pytest.raises(FileNotFoundError, match='no route to host'):
        check_data(config(cifar100(tmp_path)))
    assert no_network


def _rank(rank, folder, queue):
    """Check on one of two ranks; rank 0 alone may download."""
    downloads = []

    def urlopen(request, *args, **kwargs):
        downloads.append(request.full_url)
        raise urllib.request.URLError('no route to host')

    urllib.request.urlopen = urlopen
    torch_dist.init_process_group(
        'gloo', init_method=f'file://{folder}/store', rank=rank, world_size=2
    )
    try:
        own = f'{folder}/{rank}' if rank else f'{folder}/shared'
        check_data(
            config(cifar100(f'{folder}/cifar'), {'type': 'CustomDataset', 'data_root': own})
        )
        queue.put((rank, None, downloads))
    except FileNotFoundError as error:
        queue.put((rank, str(error), downloads))
    torch_dist.destroy_process_group()


@pytest.mark.host
def test_all_ranks_raise_the_same_error(tmp_path):
    (tmp_path / 'shared').mkdir()  # rank 0 finds its second dataset, rank 1 does not
    context = multiprocessing.get_context('fork')
    queue = context.Queue()
    ranks = [context.Process(target=_rank, args=(i, str(tmp_path), queue)) for i in range(2)]
    for process in ranks:
        process.start()
    try:
        results = sorted(queue.get(timeout=60) for _ in ranks)
    finally:
        for process in ranks:
            process.join(10)
            if process.is_alive():
                process.kill()
    (_, first, downloads), (_, second, none) = results
    assert first == second
    assert f'download failed: {CIFAR100.url}: URLError' in first
    assert f'missing: {os.path.join(tmp_path, "1")}\n' in first and 'only on ranks [1]' in first
    assert len(downloads) == 1 and not none
