"""check_data where files can be downloaded, in one process and in two."""

import multiprocessing
import os
import socket
import time
import traceback
import urllib.request
from pathlib import Path

import pytest
import torch.distributed as torch_dist
from mmengine.config import Config
from mmpretrain.datasets import CIFAR100, MNIST

from mmtmix.datasets import check_data
from mmtmix.datasets.preflight import DOWNLOAD_TIMEOUT


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    """Stand in for an unreachable network, and keep the tests from a reachable one."""
    calls = []

    def urlopen(request, *args, **kwargs):
        calls.append((request.full_url, socket.getdefaulttimeout()))
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
    assert 'download failed: URLError: <urlopen error no route to host>' in text
    assert CIFAR100.url in text and str(root / 'cifar-100-python') in text
    # One attempt for the three datasets: https, then the host's own http.
    assert [url.split(':')[0] for url, _ in no_network] == ['https', 'http']
    assert {timeout for _, timeout in no_network} == {DOWNLOAD_TIMEOUT}
    assert socket.getdefaulttimeout() is None
    report = ''.join(traceback.format_exception(error.value))
    assert 'urllib' not in report and 'During handling' not in report


def test_successful_download(tmp_path, monkeypatch):
    asked = []

    def download(self):
        root = Path(self.data_prefix['root'])
        asked.append(root)
        root.mkdir()
        for name, _ in self.train_list + self.test_list:
            (root / name).with_suffix('').touch()

    monkeypatch.setattr(MNIST, '_download', download)
    dataset = {'type': 'MNIST', 'data_root': str(tmp_path / 'mnist'), 'lazy_init': True}
    check_data(config(dataset, {**dataset, 'test_mode': True}))
    assert asked == [tmp_path / 'mnist']


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
    assert 'download failed: URLError' in first
    assert f'missing: {os.path.join(tmp_path, "1")}\n' in first and 'only on ranks [1]' in first
    assert len(downloads) == 2 and not none
