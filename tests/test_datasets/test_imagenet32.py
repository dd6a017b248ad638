"""ImageNet32 on generated batches, and pickles that are damaged or want to run something."""

import os
import pickle

import numpy as np
import pytest
from mmpretrain.registry import DATASETS

from mmtmix.datasets import ImageNet32, check_data
from mmtmix.datasets.sources import load_array_pickle, read_batch

pytestmark = pytest.mark.host


def batch(count=3, seed=0, **fields):
    data = np.random.default_rng(seed).integers(0, 256, (count, 3072), dtype=np.uint8)
    labels = [1 + (seed * 7 + i) % 1000 for i in range(count)]
    return dict(dict(data=data, labels=labels, mean=data.mean(axis=0)), **fields)


@pytest.fixture
def root(tmp_path):
    for number in range(1, 11):
        content = pickle.dumps(batch(2 + number % 2, seed=number))
        (tmp_path / f'train_data_batch_{number}').write_bytes(content)
    (tmp_path / 'val_data').write_bytes(pickle.dumps(batch(4), protocol=2))
    return tmp_path


def test_items_are_those_of_the_batches_in_order(root):
    train = ImageNet32(data_root=root)
    images = [batch(2 + n % 2, seed=n)['data'] for n in range(1, 11)]
    labels = [label - 1 for n in range(1, 11) for label in batch(2 + n % 2, seed=n)['labels']]
    assert len(train) == 25
    assert train.get_gt_labels().tolist() == labels
    for i, row in enumerate(np.concatenate(images)):
        item = train.get_data_info(i)
        assert (item['gt_label'], item['sample_idx']) == (labels[i], i)
        assert train.get_cat_ids(i) == [labels[i]]
        for channel in range(3):
            plane = row[1024 * channel : 1024 * (channel + 1)].reshape(32, 32)
            assert np.array_equal(item['img'][..., channel], plane)
    assert train.get_data_info(-1)['sample_idx'] == 24
    item['img'][:] = 0
    assert train.get_data_info(24)['img'].any()
    assert len(ImageNet32(data_root=root, split='val')) == 4


def test_without_labels_through_a_pipeline(root):
    pipeline = [dict(type='RandomCrop', crop_size=32, padding=4), dict(type='PackInputs')]
    cfg = dict(type='ImageNet32', data_root=str(root), with_label=False, pipeline=pipeline)
    check_data(dict(train_dataloader=dict(dataset=cfg)))
    item = DATASETS.build(cfg)[7]
    assert item['inputs'].shape == (3, 32, 32) and 'gt_label' not in item['data_samples']


def test_subsets(root):
    whole = ImageNet32(data_root=root).get_gt_labels()
    assert np.array_equal(ImageNet32(data_root=root, indices=7).get_gt_labels(), whole[:7])
    assert np.array_equal(ImageNet32(data_root=root, indices=-7).get_gt_labels(), whole[-7:])
    dataset = ImageNet32(data_root=root, indices=[20, 3])
    assert np.array_equal(dataset.get_gt_labels(), whole[[20, 3]])
    assert len(dataset.get_subset(1)) == 1 and len(dataset) == 2


def test_missing_batches_are_named(root):
    (root / 'train_data_batch_4').unlink()
    with pytest.raises(FileNotFoundError, match='lacks train_data_batch_4 .*image-net.org'):
        ImageNet32(data_root=root)
    ImageNet32(data_root=root, split='val')
    assert len(ImageNet32.missing_files(root / 'none')[1]) == 10


@pytest.mark.parametrize(
    ('content', 'said'),
    [
        (batch(labels=[1, 0, 5]), 'holds the label 0; they are 1 to 1000'),
        (batch(labels=[1, 1001, 5]), 'holds the label 1001'),
        (batch(labels=[1, 2]), "'labels' must be 3 integers"),
        (batch(labels=[0.5, 1.0, 2.0]), "'labels' must be 3 integers, got float64"),
        (batch(data=np.zeros((3, 12288), np.uint8)), r'got uint8 \(3, 12288\)'),
        (batch(data=np.zeros((3, 3072))), 'got float64'),
        (batch(data=[1]), 'got list'),
        ({'data': 1}, "lacks 'data' or 'labels'"),
        ([1], "lacks 'data' or 'labels'"),
    ],
)
def test_batches_that_are_none(root, content, said):
    path = root / 'val_data'
    path.write_bytes(pickle.dumps(content))
    with pytest.raises((TypeError, ValueError), match=said) as error:
        ImageNet32(data_root=root, split='val')
    assert str(path) in str(error.value)


@pytest.mark.parametrize(
    ('kwargs', 'said'),
    [
        (dict(split='test'), "got 'test'"),
        (dict(serialize_data=False), 'does not take serialize_data'),
        (dict(data_root=3), 'got 3'),
    ],
)
def test_invalid_arguments(root, kwargs, said):
    with pytest.raises((TypeError, ValueError), match=said):
        ImageNet32(**{'data_root': root, **kwargs})


@pytest.mark.parametrize('protocol', range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize('order', ['C', 'F'])
def test_arrays_of_every_protocol(tmp_path, protocol, order):
    arrays = [
        np.asarray(np.arange(12, dtype=dtype).reshape(3, 4), order=order)
        for dtype in (np.uint8, '>i4', np.float64)
    ]
    content = dict(arrays=arrays, text='x', raw=b'\xff', pair=(1, None, 2.5, True))
    (tmp_path / 'x').write_bytes(pickle.dumps(content, protocol=protocol))
    read = load_array_pickle(tmp_path / 'x')
    assert all(np.array_equal(a, b) for a, b in zip(read.pop('arrays'), arrays, strict=True))
    assert read == {key: value for key, value in content.items() if key != 'arrays'}


def test_names_of_both_numpys_and_of_python_2(tmp_path):
    content = pickle.dumps({'data': np.arange(3, dtype=np.uint8)}, protocol=2)
    for name in (b'numpy.core.multiarray', b'numpy._core.multiarray'):
        other = content.replace(b'numpy._core.multiarray', b'numpy.core.multiarray')
        other = other.replace(b'numpy.core.multiarray', name)
        (tmp_path / 'x').write_bytes(other)
        assert load_array_pickle(tmp_path / 'x')['data'].tolist() == [0, 1, 2]
    # Python 2 wrote its strings, an array's bytes too, as SHORT_BINSTRING
    (tmp_path / 'x').write_bytes(b'\x80\x02}U\x04dataU\x02a\xffs.')
    assert load_array_pickle(tmp_path / 'x') == {'data': 'a\xff'}


class Evil:
    def __init__(self, *call):
        self.call = call

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize('protocol', [0, 2, 4])
@pytest.mark.parametrize(
    'call',
    [
        (os.mkdir, ('made',)),
        (eval, ("__import__('os').mkdir('made')",)),
        (np.load, ('x',)),
        (getattr, ('x', 'upper')),
        (np.ndarray.tofile, (np.zeros(1), 'made')),
    ],
)
def test_nothing_else_is_called(tmp_path, monkeypatch, call, protocol):
    monkeypatch.chdir(tmp_path)
    content = {'data': np.array([Evil(*call)], dtype=object), 'labels': Evil(*call)}
    for value in (content, content['labels']):
        (tmp_path / 'x').write_bytes(pickle.dumps(value, protocol=protocol))
        with pytest.raises(ValueError, match='no pickle of plain arrays') as error:
            read_batch(tmp_path / 'x')
        assert 'which no array needs' in str(error.value)
    assert not (tmp_path / 'made').exists()


@pytest.mark.parametrize('share', [0, 0.01, 0.5, 0.99])
def test_truncated_pickle(tmp_path, share):
    content = pickle.dumps(batch())
    (tmp_path / 'val_data').write_bytes(content[: int(len(content) * share)])
    with pytest.raises(ValueError, match='val_data is no pickle .* fetch it again'):
        read_batch(tmp_path / 'val_data')


def test_other_encodings_are_refused(tmp_path):
    (tmp_path / 'x').write_bytes(b'c_codecs\nencode\n(Vabc\nVrot13\ntR.')
    with pytest.raises(ValueError, match="encoding 'rot13'"):
        load_array_pickle(tmp_path / 'x')
