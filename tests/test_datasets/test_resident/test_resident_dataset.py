"""A data set in memory: items, samples, order and draws beside those of the ordinary one."""

import copy

import cv2
import numpy as np
import pytest
import torch
from mmengine.dataset import ConcatDataset, default_collate, pseudo_collate
from mmengine.registry import DefaultScope
from mmengine.runner import Runner
from mmpretrain.registry import DATASETS

from mmtmix.datasets import ResidentDataset
from mmtmix.recipes import resident

pytestmark = pytest.mark.host

PACK = dict(type='PackInputs')
CROP = dict(type='RandomCrop', crop_size=28, padding=2, pad_val=9)
FLIP = dict(type='RandomFlip', prob=0.5, direction='horizontal')
ERASE = dict(type='RandomErasing', erase_prob=0.5, mode='rand')
FIXED = [
    dict(type='Pad', size=(32, 30), pad_val=3),
    dict(type='CenterCrop', crop_size=(27, 30)),
    dict(type='RandomFlip', prob=1.0, direction='vertical'),
    dict(type='Pad', size=(32, 32), pad_val=7),
    dict(type='OneHotScore', num_classes=10),
    PACK,
]


@pytest.fixture(autouse=True)
def _scope():
    """As in a run: MMEngine's wrappers and loaders look up names there."""
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        yield


def fashion(*pipeline, **settings):
    settings = dict(indices=48, channels=3) | settings
    return dict(type='FashionMNISTIdx', pipeline=list(pipeline) or [PACK], **settings)


def build(settings, **kwargs):
    return ResidentDataset(copy.deepcopy(settings), **kwargs)


def assert_same(ours, theirs):
    assert torch.equal(ours['inputs'], theirs['inputs'])
    one, two = ours['data_samples'], theirs['data_samples']
    assert type(one) is type(two)
    assert sorted(one.all_keys()) == sorted(two.all_keys())
    assert sorted(one.metainfo_keys()) == sorted(two.metainfo_keys())
    for key in one.all_keys():
        value, other = one.get(key), two.get(key)
        same = torch.equal(value, other) if torch.is_tensor(value) else value == other
        assert same and type(value) is type(other), key


@pytest.fixture
def folder(tmp_path):
    """A folder of two classes with PNGs of 9 x 7 pixels."""
    rng = np.random.default_rng(0)
    for number in range(6):
        path = tmp_path / 'images' / f'class{number % 2}' / f'{number}.png'
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), rng.integers(0, 256, (9, 7 + (number == 5), 3), dtype=np.uint8))
    load = dict(type='LoadImageFromFile')
    return dict(type='CustomDataset', data_root=str(tmp_path / 'images'), pipeline=[load, PACK])


@pytest.mark.parametrize('channels', [1, 3])
def test_items_are_those_of_the_ordinary_set(channels):
    settings = fashion(*FIXED, channels=channels)
    ours, theirs = build(settings), DATASETS.build(copy.deepcopy(settings))
    assert len(ours) == len(theirs) == 48
    assert ours.metainfo == theirs.metainfo
    batch = ours.__getitems__([5, 0, 47, 5])
    for item, number in zip(batch, [5, 0, 47, 5], strict=True):
        assert_same(item, theirs[number])
    assert_same(ours[-1], theirs[-1])
    assert ours.get_cat_ids(3) == theirs.get_cat_ids(3)
    # no two samples share what another may change
    batch[0]['data_samples'].set_field(1, 'more')
    assert 'more' not in batch[3]['data_samples']


def test_files_are_read_once_by_their_own_pipeline(folder):
    folder['pipeline'].insert(1, dict(type='Resize', scale=(8, 8)))
    ours, theirs = build(folder, read_workers=1), DATASETS.build(copy.deepcopy(folder))
    state = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    ours.full_init()
    assert torch.equal(torch.get_rng_state(), state[0])
    assert (np.random.get_state()[1] == state[1]).all()  # noqa: NPY002
    for number in range(6):
        assert_same(ours[number], theirs[number])
    # the last one is wider: what it was differs between samples
    assert ours[5]['data_samples'].ori_shape != ours[0]['data_samples'].ori_shape


def test_any_collate_function_makes_the_same_batch():
    ours = build(fashion(CROP, FLIP, ERASE, PACK))
    torch.manual_seed(3)
    batch = ours.__getitems__([3, 1, 2])
    stacked, listed = default_collate(batch), pseudo_collate(batch)
    assert torch.equal(stacked['inputs'], batch.inputs)
    assert torch.equal(torch.stack(listed['inputs']), batch.inputs)
    assert listed['data_samples'] == stacked['data_samples'] == list(batch.samples)
    torch.manual_seed(3)
    assert torch.equal(ours.__getitems__([3, 1, 2]).inputs, batch.inputs)
    assert not torch.equal(ours.__getitems__([3, 1, 2]).inputs, batch.inputs)


def test_flips_are_reported_as_they_were_done():
    ours, plain = build(fashion(FLIP, PACK)), build(fashion(PACK))
    batch, images = ours.__getitems__(range(48)), plain.__getitems__(range(48)).inputs
    flips = [sample.flip for sample in batch.samples]
    assert 10 < sum(flips) < 38
    for number, sample in enumerate(batch.samples):
        expected = images[number].flip(-1) if sample.flip else images[number]
        assert torch.equal(batch.inputs[number], expected)
        assert sample.flip_direction == ('horizontal' if sample.flip else None)


@pytest.mark.parametrize('labels', ['hard_teacher', 'mixed', 'soft_teacher'])
def test_mixed_images_keep_their_soft_labels_beside_clean_ones(make_set, labels):
    root, *_ = make_set(shape=(28, 28, 3), num_classes=10)
    one_hot = dict(type='OneHotScore', num_classes=10)
    clean = fashion(FLIP, one_hot, PACK)
    mixed = dict(type='MixedImages', data_root=str(root), labels=labels, pipeline=[FLIP, PACK])
    if labels == 'hard_teacher':
        clean['pipeline'].remove(one_hot)
    mixed['metainfo'] = DATASETS.build(copy.deepcopy(clean)).metainfo
    both = dict(type='ConcatDataset', datasets=[clean, mixed])
    ours, theirs = build(both), DATASETS.build(copy.deepcopy(both))
    assert len(ours) == len(theirs) == 48 + 11
    for number in (0, 47, 48, 58):
        one, two = ours[number]['data_samples'], theirs[number]['data_samples']
        assert torch.equal(one.gt_label, two.gt_label) and one.sample_idx == two.sample_idx
        assert ('gt_score' in one) == (labels != 'hard_teacher')
        assert 'gt_score' not in one or torch.equal(one.gt_score, two.gt_score)


def test_ranks_draw_flips_of_their_own(monkeypatch):
    found = []
    for rank in (0, 1):
        monkeypatch.setattr('mmtmix.datasets.seeding.get_rank', lambda rank=rank: rank)
        torch.manual_seed(0)
        batch = build(fashion(FLIP, PACK)).__getitems__(list(range(16)))
        found.append(torch.stack([item['inputs'] for item in batch]))
    assert not torch.equal(*found)


@pytest.mark.parametrize('rank', [0, 1])
def test_ranks_share_an_epoch_in_the_order_of_the_ordinary_loader(monkeypatch, rank):
    monkeypatch.setattr('mmengine.dataset.sampler.get_dist_info', lambda: (rank, 2))
    plain = dict(
        batch_size=5,
        num_workers=0,
        sampler=dict(type='DefaultSampler', shuffle=True),
        collate_fn=dict(type='default_collate'),
        dataset=fashion(PACK, indices=23),
    )
    config = resident(plain)
    assert config.pop('_delete_')
    loaders = [Runner.build_dataloader(each, seed=4) for each in (plain, config)]
    seen = set()
    for epoch in (0, 1):
        for loader in loaders:
            loader.sampler.set_epoch(epoch)
        for theirs, ours in zip(*loaders, strict=True):
            assert torch.equal(ours['inputs'], theirs['inputs'])
            for one, two in zip(ours['data_samples'], theirs['data_samples'], strict=True):
                assert one.sample_idx == two.sample_idx
                seen.add((epoch, one.sample_idx))
    assert len(loaders[1]) == len(loaders[0]) == 3
    assert len({number for epoch, number in seen if not epoch}) == 12


@pytest.mark.parametrize(
    ('pipeline', 'named'),
    [
        ([dict(type='ColorJitter'), PACK], 'ColorJitter, which ResidentDataset does not support'),
        (
            [dict(type='RandomResizedCrop', scale=8), PACK],
            'RandomErasing for each batch',
        ),
        ([FLIP, dict(type='Resize', scale=8), PACK], 'Resize after a random transform'),
        ([dict(ERASE), FLIP, PACK], 'RandomFlip after RandomErasing'),
        ([FLIP, dict(type='CenterCrop', crop_size=4, auto_pad=True), PACK], 'auto_pad=True'),
        ([FLIP], 'must end with PackInputs, got RandomFlip'),
        ([FLIP, dict(PACK, meta_keys=('gt_mask',))], 'packs gt_mask and has RandomFlip'),
        ([dict(PACK, algorithm_keys=('a',))], r"algorithm_keys=\('a',\)"),
    ],
)
def test_other_pipelines_are_refused_by_name(pipeline, named):
    with pytest.raises(ValueError, match=named) as raised:
        build(fashion(*pipeline))
    assert 'FashionMNISTIdx' in str(raised.value) and 'ordinary data set' in str(raised.value)


def test_what_does_not_fit_is_refused_before_it_is_read(monkeypatch, folder):
    ours = build(fashion(CROP, PACK), max_bytes=48 * 3 * 29 * 29 - 1)
    monkeypatch.setattr('mmtmix.datasets.resident.storage.iter_chunks', None)
    with pytest.raises(ValueError, match=r'48 images take 121104 bytes .*max_bytes=121103'):
        ours.full_init()
    monkeypatch.undo()
    with pytest.raises(ValueError, match=r'5.png of CustomDataset has shape \(9, 8, 3\)'):
        build(folder).full_init()
    with pytest.raises(ValueError, match='RandomErasing fills three channels'):
        build(fashion(ERASE, PACK, channels=1)).full_init()
    with pytest.raises(ValueError, match='item 0 of CustomDataset must have an image as a uint8'):
        build(dict(folder, pipeline=[PACK])).full_init()


def test_other_kinds_of_sets_are_refused():
    with pytest.raises(TypeError, match='got KFoldDataset, which makes its items in another way'):
        build(dict(type='KFoldDataset', dataset=fashion(PACK)))
    with pytest.raises(ValueError, match='FashionMNISTIdx and FashionMNISTIdx have different'):
        build(dict(type='ConcatDataset', datasets=[fashion(PACK), fashion(FLIP, PACK)]))
    scored = fashion(dict(type='OneHotScore', num_classes=10), PACK)
    with pytest.raises(ValueError, match='48 of 96 images have a gt_score; add'):
        build(ConcatDataset([scored, fashion(PACK)])).full_init()
    with pytest.raises(ValueError, match="device must be one such as 'cpu'"):
        build(fashion(PACK), device='nonesuch')
    if not torch.cuda.is_available():
        with pytest.raises(ValueError, match='torch has no CUDA here'):
            build(fashion(PACK), device='cuda')
    with pytest.raises(IndexError, match='item 48 of 48'):
        build(fashion(PACK))[48]
