"""MixedImages: its items, subsets, wrappers and workers."""

import json
import pickle

import numpy as np
import pytest
from mmengine.dataset import (
    ClassBalancedDataset,
    ConcatDataset,
    RepeatDataset,
    pseudo_collate,
)
from mmengine.runner import Runner
from mmpretrain.datasets import KFoldDataset
from mmpretrain.registry import DATASETS
from torch.utils.data import DataLoader

from mmtmix.datasets import MixedImages
from mmtmix.datasets.mixed_shards import ShardReader, shard_name

PIPELINE = [
    {'type': 'RandomCrop', 'crop_size': 7, 'padding': 2},
    {'type': 'RandomFlip', 'prob': 0.5},
    {'type': 'PackInputs'},
]
PACK = PIPELINE[-1:]


def joined(records, name):
    return np.concatenate([getattr(part, name) for part in records])


def winners_of(dataset):
    return [dataset.get_data_info(i)['gt_label'] for i in range(len(dataset))]


@pytest.mark.parametrize(
    ('shape', 'order'), [((9, 7), 'rgb'), ((9, 7, 3), 'rgb'), ((9, 7, 3), 'bgr')]
)
@pytest.mark.parametrize('labels', ['hard_teacher', 'mixed', 'soft_teacher'])
@pytest.mark.host
def test_items_equal_what_was_written(make_set, shape, order, labels):
    folder, images, records = make_set(shape=shape, channel_order=order)
    dataset = DATASETS.build({'type': 'MixedImages', 'data_root': str(folder), 'labels': labels})
    weights, classes = joined(records, 'weights'), joined(records, 'classes')
    assert len(dataset) == 11
    for i, image in enumerate(images):
        item = dataset.get_data_info(i)
        assert set(item) == {'img', 'gt_label', 'sample_idx'} | (
            set() if labels == 'hard_teacher' else {'gt_score'}
        )
        assert item['img'].dtype == np.uint8 and np.array_equal(item['img'], image)
        assert type(item['gt_label']) is int
        assert item['gt_label'] == joined(records, 'winners')[i]
        assert item['sample_idx'] == i
        if labels == 'teacher':
            assert np.array_equal(item['gt_score'], joined(records, 'targets')[i])
        if labels == 'mixed':  # SuperMix, Eq. 2, by a matrix product
            expected = weights[i] @ np.eye(4)[classes[i]]
            np.testing.assert_allclose(item['gt_score'], expected, atol=1e-6)
        if labels != 'hard_teacher':
            assert item['gt_score'].dtype == np.float32 and item['gt_score'].shape == (4,)
            assert item['gt_score'].sum() == pytest.approx(1, abs=1e-5)


def test_sources_of_one_class_add_up(make_set):
    count = 4
    fields = dict(
        classes=np.tile(np.int64([2, 0, 2]), (count, 1)),
        weights=np.tile(np.float32([0.5, 0.25, 0.25]), (count, 1)),
    )
    folder, _, _ = make_set(sizes=(count,), **fields)
    score = MixedImages(folder, labels='mixed').get_data_info(0)['gt_score']
    assert score.tolist() == [0.25, 0, 0.75, 0]


def test_items_may_be_written_to(make_set):
    folder, images, records = make_set()
    dataset = MixedImages(folder, labels='soft_teacher')
    item = dataset[5]
    item['img'][:] = 0
    item['gt_score'][:] = 0
    again = dataset[5]
    assert np.array_equal(again['img'], images[5])
    assert np.array_equal(again['gt_score'], records[1].targets[1])


def test_positions(make_set):
    folder, images, _ = make_set()
    dataset = MixedImages(folder)
    last = dataset.get_data_info(-1)
    assert last['sample_idx'] == 10 and np.array_equal(last['img'], images[10])
    assert np.array_equal(dataset.get_data_info(np.int64(4))['img'], images[4])
    for outside in (11, -12):
        with pytest.raises(IndexError):
            dataset[outside]
    assert sum(1 for _ in dataset) == 11  # the old protocol: IndexError ends a loop


@pytest.mark.parametrize(
    ('indices', 'kept'),
    [
        (3, [0, 1, 2]),
        (0, []),
        (-3, [8, 9, 10]),
        (99, range(11)),
        ([9, 2, 2, -1], [9, 2, 2, 10]),
        ((4,), [4]),
        (np.array([1, 0]), [1, 0]),
        (range(3, 6), [3, 4, 5]),
        ([], []),
    ],
)
def test_subsets(make_set, indices, kept):
    folder, images, records = make_set()
    whole = MixedImages(folder)
    whole[0]  # a shard is open now
    changed = MixedImages(folder)
    changed.get_subset_(indices)
    winners = joined(records, 'winners')[list(kept)].tolist()
    for dataset in (MixedImages(folder, indices=indices), whole.get_subset(indices), changed):
        assert len(dataset) == len(kept)
        assert winners_of(dataset) == winners == dataset.get_gt_labels().tolist()
        for i, position in enumerate(kept):
            item = dataset.get_data_info(i)
            assert item['sample_idx'] == i and np.array_equal(item['img'], images[position])
            assert dataset.get_cat_ids(i) == [winners[i]]
    assert len(whole) == 11
    # a subset of a subset
    if len(kept) > 2:
        nested = whole.get_subset(indices).get_subset([2, 0])
        assert winners_of(nested) == [winners[2], winners[0]]


@pytest.mark.parametrize('indices', [[11], [-12], [0.5], 'abc', [[1]], 1.5])
def test_indices_that_are_none(make_set, indices):
    with pytest.raises(ValueError, match='^indices'):
        MixedImages(make_set()[0], indices=indices)


def test_labels_are_read_without_images(make_set, monkeypatch):
    folder, _, records = make_set()
    monkeypatch.setattr(ShardReader, 'image_bytes', lambda *args: pytest.fail('an image was read'))
    dataset = MixedImages(folder)
    winners = joined(records, 'winners')
    assert np.array_equal(dataset.get_gt_labels(), winners)
    assert [dataset.get_cat_ids(i) for i in range(11)] == [[winner] for winner in winners]


def test_a_large_set_costs_no_memory_and_opens_no_shard(make_set):
    folder, _, _ = make_set()
    content = json.loads((folder / 'dataset.json').read_text())
    content.update(num=10**6, shards=[5000] * 200)
    (folder / 'dataset.json').write_text(json.dumps(content))
    for number in range(200):
        (folder / shard_name(number)).write_bytes(b'')  # to open one would fail
    dataset = MixedImages(folder)
    assert len(dataset) == 10**6
    assert len(pickle.dumps(dataset)) < 10_000
    assert len(pickle.dumps(dataset.get_subset(range(10**5)))) < 900_000


def test_meta_information(make_set):
    folder, _, _ = make_set()
    assert MixedImages(folder).metainfo['classes'] == ('class 0', 'class 1', 'class 2', 'class 3')
    named = MixedImages(folder, metainfo={'classes': tuple('abcd')})
    assert list(named.CLASSES) == list('abcd')
    assert list(MixedImages(folder, classes=list('efgh')).CLASSES) == list('efgh')
    other, _, _ = make_set(name='other', described={'classes': None})
    assert MixedImages(other).metainfo == {}
    text = repr(named)
    assert str(folder) in text and 'hard_teacher' in text and '11' in text


def test_lazy_init_and_home(make_set, monkeypatch):
    folder, _, _ = make_set()
    monkeypatch.setenv('HOME', str(folder.parent))
    lazy = MixedImages('~/set', lazy_init=True, indices=4)
    assert 'initialized' in repr(lazy)
    assert len(lazy) == 4
    assert len(MixedImages('~/none', lazy_init=True).missing_files('~/none')[1]) == 1
    twice = MixedImages(folder)
    twice.get_subset_(2)
    twice.full_init()
    assert len(twice) == 2


@pytest.mark.host
def test_wrappers(make_set):
    folder, images, records = make_set()
    winners = joined(records, 'winners').tolist()
    dataset = MixedImages(folder)
    pair = ConcatDataset([dataset, MixedImages(folder, indices=[7])])
    assert len(pair) == 12 and np.array_equal(pair[11]['img'], images[7])
    assert np.array_equal(RepeatDataset(dataset, 2)[12]['img'], images[1])
    folds = [
        KFoldDataset(
            {'type': 'MixedImages', 'data_root': str(folder)}, fold=1, num_splits=3, test_mode=test
        )
        for test in (True, False)
    ]
    assert [len(fold) for fold in folds] == [4, 7]
    assert folds[0].get_gt_labels().tolist() == winners[3:7]
    assert np.array_equal(folds[1][3]['img'], images[7])
    balanced = ClassBalancedDataset(dataset, oversample_thr=0.5)
    assert len(balanced) >= 11 and set(map(int, balanced.repeat_indices)) == set(range(11))


@pytest.mark.parametrize('workers', [None, 'fork', 'spawn'])
@pytest.mark.host
def test_loaders(make_set, workers):
    folder, images, records = make_set(sizes=(3, 3, 3, 3))
    dataset = MixedImages(folder, labels='mixed', pipeline=PACK)
    dataset[0]  # the main process has opened a shard before the workers start
    options = dict(num_workers=2, multiprocessing_context=workers) if workers else {}
    seen = {}
    for batch in DataLoader(
        dataset, batch_size=5, shuffle=True, collate_fn=pseudo_collate, **options
    ):
        for image, sample in zip(batch['inputs'], batch['data_samples'], strict=True):
            seen[sample.sample_idx] = image.permute(1, 2, 0).numpy(), int(sample.gt_label)
            assert sample.gt_score.shape == (4,)
    assert sorted(seen) == list(range(12))
    for i, (image, label) in seen.items():
        assert np.array_equal(image, images[i]) and label == joined(records, 'winners')[i]


@pytest.mark.host
def test_the_pipeline_of_the_source_data_fits(make_set):
    folder, _, _ = make_set()
    loader = Runner.build_dataloader(
        {
            'batch_size': 11,
            'num_workers': 0,
            'sampler': {'type': 'DefaultSampler', 'shuffle': False},
            'dataset': {
                'type': 'mmpretrain.MixedImages',
                'data_root': str(folder),
                'pipeline': PIPELINE,
            },
        }
    )
    (batch,) = loader
    assert {tuple(image.shape) for image in batch['inputs']} == {(3, 7, 7)}
    labels = [int(sample.gt_label) for sample in batch['data_samples']]
    assert labels == loader.dataset.get_gt_labels().tolist()
    assert 'gt_score' not in batch['data_samples'][0]
