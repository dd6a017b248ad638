"""tools/prepare_data.py: its arguments and what it prints."""

import os
import pickle
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mmtmix.apps.prepare import DATA_SETS
from mmtmix.datasets.sources.file_formats import Batch

pytestmark = pytest.mark.host

ROOT = Path(__file__).resolve().parents[2]
TOOL = ROOT / 'tools' / 'prepare_data.py'


@pytest.fixture(scope='module')
def tool(load):
    return load('prepare_data')


@pytest.fixture
def archives(tmp_path):
    batch = pickle.dumps({'data': np.zeros((2, 3072), np.uint8), 'labels': [1, 1000]})
    names = {'train': [f'train_data_batch_{i}' for i in range(1, 11)], 'val': ['val_data']}
    for split, files in names.items():
        with zipfile.ZipFile(tmp_path / f'Imagenet32_{split}.zip', 'w') as archive:
            for file in files:
                archive.writestr(f'Imagenet32_{split}/{file}', batch)
    return [str(tmp_path / f'Imagenet32_{split}.zip') for split in names]


def test_archives_given_to_the_default_folder(tool, archives, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    official = DATA_SETS['imagenet32']
    sources = [
        replace(source, gives=tuple(replace(item, format=Batch(2)) for item in source.gives))
        for source in official.sources
    ]
    monkeypatch.setitem(DATA_SETS, 'imagenet32', replace(official, sources=tuple(sources)))
    tool.main(['imagenet32', '--archive', *archives, '--deep'])
    printed = capsys.readouterr().out
    assert 'ImageNet32 is complete: 1,281,167 + 50,000 images, 1000 classes' in printed
    assert f'data_root={str(tmp_path / "data" / "imagenet32")!r}' in printed
    tool.main(['imagenet32', '--offline'])
    assert 'Unpacking' not in capsys.readouterr().out


def test_download_that_fails_says_what_to_do(tool, tmp_path, monkeypatch):
    (source,) = DATA_SETS['cifar100'].sources
    source = replace(source, url=(tmp_path / 'nowhere.tar.gz').as_uri())
    cifar = replace(DATA_SETS['cifar100'], sources=(source,))
    monkeypatch.setitem(DATA_SETS, 'cifar100', cifar)
    with pytest.raises(FileNotFoundError) as error:
        tool.main(['cifar100', '--root', str(tmp_path / 'x')])
    message = str(error.value)
    assert 'the download failed' in message and 'nowhere.tar.gz' in message
    assert f'Put these files into {tmp_path / "x"}' in message
    assert 'cifar-100-python.tar.gz (MD5 eb9058c3a382ffc7106e4002c42a8d85)' in message
    assert not list((tmp_path / 'x').iterdir())


def test_unknown_name(tool):
    with pytest.raises(ValueError, match="NAME must be one of .*'tiny_imagenet'"):
        tool.main(['mnist'])


def test_as_a_command_it_ends_with_one_message(tmp_path):
    command = [sys.executable, str(TOOL), 'cars', '--root', str(tmp_path), '--offline']
    env = os.environ | {'PYTHONPATH': str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, env=env, timeout=120)
    assert done.returncode == 2
    assert 'prepare_data.py: error: Stanford Cars is not complete in' in done.stderr
    assert 'Traceback' not in done.stderr
