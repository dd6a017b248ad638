"""CarryMask: the mask moves with the image, and nothing else changes."""

from __future__ import annotations

import numpy as np
import pytest
from mmengine.registry import DefaultScope
from mmpretrain.registry import DATASETS, TRANSFORMS

import mmtmix.datasets  # noqa: F401  (registers)

pytestmark = pytest.mark.host

MOVES = [
    dict(type='RandomCrop', crop_size=10, padding=3),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
]


def build(transforms):
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        return TRANSFORMS.build(dict(type='CarryMask', transforms=transforms))


def sample(channels=3):
    generator = np.random.default_rng(0)
    mask = (generator.random((10, 10)) < 0.4).astype(np.uint8)
    image = generator.integers(1, 100, (10, 10, channels)).astype(np.uint8)
    image[mask > 0] += 100  # so the mask can be read from the image
    image = image if channels > 1 else image[..., 0]
    return dict(img=image, gt_mask=mask, gt_bboxes=np.zeros((1, 4)), gt_label=3)


@pytest.mark.parametrize('channels', [1, 3])
def test_the_mask_moves_with_the_image(channels):
    carry = build(MOVES)
    seen = set()
    for seed in range(12):
        np.random.seed(seed)  # noqa: NPY002  (what these transforms draw from)
        found = carry(sample(channels))
        image = found['img'].reshape(10, 10, -1)
        np.testing.assert_array_equal(found['gt_mask'], image[..., 0] > 100)
        assert found['gt_mask'].dtype == np.uint8 and 'gt_bboxes' not in found
        assert found['gt_label'] == 3 and found['img'].ndim == (2 if channels == 1 else 3)
        np.random.seed(seed)  # noqa: NPY002
        plain = sample(channels)
        for transform in carry.transforms:
            plain = transform(plain)
        np.testing.assert_array_equal(plain['img'], found['img'])
        seen.add(found['gt_mask'].tobytes())
    assert len(seen) > 8


def test_a_resized_mask_is_cut_at_one_half():
    found = build([dict(type='Resize', scale=(20, 20), interpolation='nearest')])(sample())
    np.testing.assert_array_equal(found['gt_mask'], sample()['gt_mask'].repeat(2, 0).repeat(2, 1))
    assert 'scale_factor' not in found


@pytest.mark.parametrize(
    ('transforms', 'message'),
    [
        ([], 'at least one transform'),
        ([dict(type='RandomErasing')], 'cannot hold RandomErasing'),
        ([dict(type='RandomCrop', crop_size=8, padding=1, pad_val=9)], 'fills pixels'),
        ([dict(type='Pad', size=(12, 12), pad_val=7)], 'fills pixels'),
    ],
)
def test_what_it_refuses(transforms, message):
    with pytest.raises(ValueError, match=message):
        build(transforms)


def test_a_mask_of_another_size_is_refused():
    given = sample() | dict(gt_mask=np.zeros((9, 10), np.uint8))
    with pytest.raises(ValueError, match=r'\(9, 10\) and the image \(10, 10, 3\)'):
        build(MOVES)(given)


PACK = dict(type='PackInputs', meta_keys=('gt_mask',))
CROP = dict(type='RandomCrop', crop_size=32, padding=4)
FLIP = dict(type='RandomFlip', prob=0.5, direction='horizontal')
PAD, CROP_40 = dict(type='Pad', size=(40, 40)), dict(type='RandomCrop', crop_size=32)


@pytest.mark.parametrize('wrap', [lambda x: x, lambda x: dict(type='ResidentDataset', dataset=x)])
def test_masks_that_would_stay_behind_are_refused(wrap):
    dataset = dict(type='Glyphs', num_images=4, pipeline=[FLIP, PACK])
    with (
        DefaultScope.overwrite_default_scope('mmpretrain'),
        pytest.raises(ValueError, match='RandomFlip moves the image alone.*CarryMask'),
    ):
        DATASETS.build(wrap(dataset))


@pytest.mark.parametrize(
    'parts',
    [
        [[CROP, FLIP]],
        [[PAD, CROP_40, FLIP]],  # the pad runs once, when the set is read
        [[PAD], [CROP_40]],
        [[FLIP], [PAD, CROP_40]],  # the pad comes after what is random
    ],
)
def test_a_resident_set_moves_masks_with_its_images(parts):
    """Objects of full brightness on black show in the image where the mask must be."""
    carry = [dict(type='CarryMask', transforms=part) for part in parts]
    dataset = dict(type='Glyphs', num_images=64, clutter=0, pipeline=[*carry, PACK])
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        ordinary = DATASETS.build(dataset)
        for number in range(64):
            ordinary._images.pixels[number] = 255 * (ordinary._images.marks[number] > 0)[..., None]
        resident = DATASETS.build(dict(type='ResidentDataset', dataset=ordinary))
    batch = resident.__getitems__(list(range(64)))
    assert batch.inputs.shape == (64, 3, 32, 32) and batch.samples.masks.shape == (64, 32, 32)
    assert (batch.samples.masks == (batch.inputs[:, 0] > 0)).all()
    assert (batch.samples[5].gt_mask == batch.samples.masks[5]).all()
    assert 'gt_mask' in batch.samples[5].metainfo_keys()
    moved = [
        bool((batch.samples.masks[n].numpy() != ordinary._images.marks[n]).any())
        for n in range(64)
    ]
    assert sum(moved) > 50


def test_a_resident_set_with_masks_can_erase():
    carry = dict(type='CarryMask', transforms=[CROP])
    erase = dict(type='RandomErasing', erase_prob=1.0, mode='const', fill_color=(1, 2, 3))
    dataset = dict(type='Glyphs', num_images=8, pipeline=[carry, erase, PACK])
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        resident = DATASETS.build(dict(type='ResidentDataset', dataset=dataset))
    inputs = resident.__getitems__(list(range(8))).inputs
    erased = (inputs[:, 0] == 1) & (inputs[:, 1] == 2) & (inputs[:, 2] == 3)
    assert inputs.shape[1] == 3 and erased.flatten(1).any(1).all()
