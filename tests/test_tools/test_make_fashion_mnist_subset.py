"""tools/make_fashion_mnist_subset.py, on generated files in the official format."""

import gzip
import hashlib
import importlib.util
import os
import re
import struct
from pathlib import Path

import numpy as np
import pytest

from mmtmix.datasets.fashion_mnist import BUNDLED_ROOT, FashionMNISTIdx

ROOT = Path(__file__).resolve().parents[2]
NAMES = (
    ('train-images-idx3-ubyte', 'train-labels-idx1-ubyte'),
    ('t10k-images-idx3-ubyte', 't10k-labels-idx1-ubyte'),
)


@pytest.fixture(scope='module')
def tool():
    path = ROOT / 'tools' / 'make_fashion_mnist_subset.py'
    spec = importlib.util.spec_from_file_location('make_fashion_mnist_subset', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope='module')
def source(tmp_path_factory):
    """Write 200 training and 100 test images, all distinct, in no order of classes."""
    root = tmp_path_factory.mktemp('official')
    for seed, (names, count) in enumerate(zip(NAMES, (200, 100), strict=True)):
        rng = np.random.RandomState(seed)
        labels = rng.permutation(np.arange(count) % 10).astype(np.uint8)
        images = rng.randint(0, 256, (count, 28, 28)).astype(np.uint8)
        images[:, 0, 0] = labels  # so that a label that strays from its image is found
        header = struct.pack('>IIII', 0x0803, count, 28, 28)
        (root / f'{names[0]}.gz').write_bytes(gzip.compress(header + images.tobytes()))
        (root / names[1]).write_bytes(struct.pack('>II', 0x0801, count) + labels.tobytes())
    return root


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def run(tool, source, out, train=50, test=20, seed=0):
    options = ['--train', train, '--test', test, '--seed', seed]
    tool.main([str(arg) for arg in (source, out, *options)])
    return contents(out)


def test_subset_is_balanced_and_from_its_own_split(tool, source, tmp_path):
    files = run(tool, source, tmp_path / 'out')
    idx = {f'{name}.gz' for names in NAMES for name in names}
    assert set(files) == idx | {'README.md', 'LICENSE'}
    for split, count in (('train', 50), ('test', 20)):
        subset = FashionMNISTIdx(tmp_path / 'out', split=split)
        assert subset.get_gt_labels().tolist() == [i % 10 for i in range(count)]
        images = [item['img'] for item in subset]
        assert [image[0, 0] for image in images] == [i % 10 for i in range(count)]
        whole = {item['img'].tobytes() for item in FashionMNISTIdx(source, split=split)}
        drawn = {image.tobytes() for image in images}
        assert len(drawn) == count and drawn <= whole


def test_same_seed_gives_the_same_bytes(tool, source, tmp_path):
    first = run(tool, source, tmp_path / 'first')
    again = run(tool, source, tmp_path / 'again')
    assert first == again
    assert run(tool, source, tmp_path / 'again') == first  # and over itself
    other = run(tool, source, tmp_path / 'other', seed=1)
    assert other[f'{NAMES[0][0]}.gz'] != first[f'{NAMES[0][0]}.gz']
    assert first[f'{NAMES[0][0]}.gz'][4:8] == bytes(4)  # no time stamp


def test_smaller_subset_is_a_prefix(tool, source, tmp_path):
    run(tool, source, tmp_path / 'large', train=100)
    run(tool, source, tmp_path / 'small', train=30)
    large = FashionMNISTIdx(tmp_path / 'large', indices=30)
    small = FashionMNISTIdx(tmp_path / 'small')
    for a, b in zip(large, small, strict=True):
        assert np.array_equal(a['img'], b['img'])


def test_readme_tells_how_and_what(tool, source, tmp_path):
    files = run(tool, source, tmp_path / 'out', seed=3)
    readme = files['README.md'].decode()
    assert '--train 50 --test 20 --seed 3' in readme
    assert str(tmp_path) not in readme and str(source) not in readme
    for name in (f'{name}.gz' for names in NAMES for name in names):
        assert hashlib.sha256(files[name]).hexdigest() in readme
        assert hashlib.sha256(gzip.decompress(files[name])).hexdigest() in readme
    assert hashlib.sha256((source / NAMES[0][1]).read_bytes()).hexdigest() in readme
    assert 'Copyright (c) 2017 Zalando SE, https://tech.zalando.com' in files['LICENSE'].decode()


def test_bundled_readme_matches_the_bundled_files():
    readme = (BUNDLED_ROOT / 'README.md').read_text()
    rows = re.findall(r'\| `(\S+\.gz)` \| (\d+) \| (\d+) \| `(\w+)`', readme)
    assert len(rows) == 4
    for name, _, size, digest in rows:
        data = (BUNDLED_ROOT / name).read_bytes()
        assert len(data) == int(size) and hashlib.sha256(data).hexdigest() == digest


@pytest.mark.parametrize('count', [0, -10, 55])
def test_count_that_cannot_be_balanced(tool, source, tmp_path, count):
    with pytest.raises(ValueError, match=f'multiple of 10 .*got {count}'):
        run(tool, source, tmp_path / 'out', train=count)
    assert not (tmp_path / 'out').exists()


def test_more_than_there_is(tool, source, tmp_path):
    with pytest.raises(ValueError, match='class 0 has only 10'):
        run(tool, source, tmp_path / 'out', test=110)


def test_missing_source_files_are_all_named(tool, tmp_path):
    with pytest.raises(FileNotFoundError) as error:
        run(tool, tmp_path, tmp_path / 'out')
    for text in (str(tmp_path), *NAMES[0], *NAMES[1]):
        assert text in str(error.value)


def test_source_is_not_overwritten(tool, source):
    before = contents(source)
    with pytest.raises(ValueError, match='OUT_DIR must not be SRC_DIR'):
        run(tool, source, source / '.')
    assert contents(source) == before


def test_failed_write_leaves_nothing(tool, tmp_path, monkeypatch):
    def fail(*args):
        raise OSError('disk full')

    monkeypatch.setattr(os, 'replace', fail)
    with pytest.raises(OSError, match='disk full'):
        tool.write_files(tmp_path / 'out', {'a': b'1', 'b': b'2'})
    assert not list((tmp_path / 'out').iterdir())
