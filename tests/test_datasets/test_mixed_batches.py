"""MixedImages read in batches: the same items as one by one, from sets of both formats."""

import numpy as np
import pytest
import torch
from mmengine.dataset import pseudo_collate
from mmpretrain.registry import TRANSFORMS
from torch.utils.data import DataLoader

from mmtmix.datasets import MixedImages
from mmtmix.datasets.mixed_shards import MixedSet, ShardReader, shard_name, verify_set

PIPELINE = [
    {'type': 'RandomCrop', 'crop_size': 7, 'padding': 2},
    {'type': 'RandomFlip', 'prob': 0.5},
    {'type': 'PackInputs'},
]
KINDS = [(False, 'rgb', (9, 7, 3)), (True, 'rgb', (9, 7)), (True, 'bgr', (9, 7, 3))]


@pytest.fixture(params=KINDS, ids=str)
def any_set(make_set, request):
    raw, order, shape = request.param
    return make_set(sizes=(4, 4, 3), raw=raw, channel_order=order, shape=shape)


def assert_same(left, right):
    assert len(left) == len(right)
    for one, other in zip(left, right, strict=True):
        assert one.keys() == other.keys()
        for name, value in one.items():
            assert type(value) is type(other[name])
            assert np.array_equal(value, other[name]), name
            assert getattr(value, 'dtype', None) == getattr(other[name], 'dtype', None)


@pytest.mark.parametrize('labels', ['hard_teacher', 'mixed', 'soft_teacher'])
@pytest.mark.host
def test_a_batch_has_the_items_of_single_reads(any_set, labels):
    folder, images, _ = any_set
    assert verify_set(folder) == []
    dataset = MixedImages(folder, labels=labels)
    wanted = [10, 0, 3, 4, 3, -1, 7]
    batch = dataset.__getitems__(wanted)
    assert_same(batch, [dataset[i] for i in wanted])
    assert [item['sample_idx'] for item in batch] == [10, 0, 3, 4, 3, 10, 7]
    for item, position in zip(batch, wanted, strict=True):
        assert np.array_equal(item['img'], images[position])
        item['img'][:] = 0  # each may be written to, without effect on the others
        if 'gt_score' in item:
            item['gt_score'][:] = 0
    assert_same(dataset.__getitems__([4, 3]), [dataset[4], dataset[3]])
    assert dataset.__getitems__([]) == []
    for indices in (range(1, 9, 2), [5, 1], -4):
        part = dataset.get_subset(indices)
        assert_same(part.__getitems__([1, 0, -1]), [part[1], part[0], part[-1]])
    for outside in (11, -12):
        with pytest.raises(IndexError, match='indices must be in'):
            dataset.__getitems__([0, outside])


@pytest.mark.host
def test_a_loader_reads_batches_and_draws_as_from_single_items(make_set, monkeypatch):
    folder, _, _ = make_set(sizes=(6, 5), raw=True)
    dataset, reads = MixedImages(folder, pipeline=PIPELINE, labels='mixed'), []
    original = ShardReader.images
    monkeypatch.setattr(
        ShardReader,
        'images',
        lambda self, records, order: reads.append(len(records)) or original(self, records, order),
    )
    np.random.seed(3)  # noqa: NPY002
    (batch,) = DataLoader(dataset, batch_size=11, collate_fn=pseudo_collate)
    assert reads == [6, 5]
    np.random.seed(3)  # noqa: NPY002
    for i, image in enumerate(batch['inputs']):
        assert torch.equal(image, dataset[i]['inputs'])
    assert reads == [6, 5]


class Own(MixedImages):
    """A subclass of a user, which changes single items."""

    def get_data_info(self, idx):
        return dict(super().get_data_info(idx), own=True)


class OwnRead(MixedImages):
    def read_item(self, position):
        return dict(super().read_item(position), own=True)


@pytest.mark.parametrize('kind', [Own, OwnRead])
def test_what_a_subclass_does_to_single_items_holds_in_batches(make_set, kind):
    dataset = kind(make_set()[0])
    assert all(item['own'] for item in dataset.__getitems__([0, 5]))


@TRANSFORMS.register_module()
class NoneTwice:
    """Refuses the first two items that it gets."""

    count = 0

    def __call__(self, item):
        NoneTwice.count += 1
        return None if NoneTwice.count <= 2 else item


@pytest.mark.host
def test_an_item_that_the_pipeline_refuses_is_replaced_as_in_single_reads(make_set):
    folder, _, _ = make_set()
    found = []
    for read in (lambda data: data.__getitems__([1]), lambda data: [data[1]]):
        NoneTwice.count = 0
        np.random.seed(0)  # noqa: NPY002
        found.append(read(MixedImages(folder, pipeline=[dict(type='NoneTwice')])))
    assert_same(*found)
    assert found[0][0]['sample_idx'] != 1
    NoneTwice.count = 0
    tested = MixedImages(folder, pipeline=[dict(type='NoneTwice')], test_mode=True)
    with pytest.raises(Exception, match='None'):
        tested.__getitems__([1])


def test_a_batch_over_many_shards_keeps_few_open(make_set):
    folder, images, _ = make_set(sizes=[2] * 8, raw=True)
    few, all_open = MixedSet(folder, max_open=3), MixedSet(folder)
    positions = np.random.default_rng(0).permutation(np.repeat(np.arange(16), 2))
    for mixed, count in ((few, 3), (all_open, 8)):
        seen = np.zeros(len(positions), dtype=bool)
        for shard, records, places in mixed.groups(positions):
            assert np.array_equal(
                shard.images(records, 'rgb'), [images[p] for p in positions[places]]
            )
            assert not seen[places].any()
            seen[places] = True
        assert seen.all() and len(mixed._open) == count
    for outside in (-1, 16):
        with pytest.raises(IndexError, match=f'got {outside}'):
            list(few.groups(np.array([0, outside])))


@pytest.mark.parametrize('place', ['one', 'many'])
def test_damage_is_found_in_the_image_that_is_read(make_set, place):
    folder, images, _ = make_set(raw=True)
    path = folder / shard_name(1)
    data = bytearray(path.read_bytes())
    data[data.index(images[5].tobytes()) + 40] ^= 1
    path.write_bytes(data)
    dataset = MixedImages(folder)
    assert len(dataset.__getitems__([4, 6, 0])) == 3
    with pytest.raises(ValueError, match=r'shard-00001.*record 1 has been altered'):
        dataset[5] if place == 'one' else dataset.__getitems__([0, 4, 5, 6, 7])
