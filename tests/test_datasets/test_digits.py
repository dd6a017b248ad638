"""scikit-learn's digits: its own images in its own order, divided in two."""

import numpy as np
import pytest
from mmpretrain.registry import DATASETS

from mmtmix.datasets import Digits

datasets = pytest.importorskip('sklearn.datasets')
pytestmark = pytest.mark.host


def test_the_splits_are_all_of_the_digits_in_their_order():
    digits = datasets.load_digits()
    items = [item for split in ('train', 'test') for item in Digits(split=split)]
    assert [item['gt_label'] for item in items] == digits.target.tolist()
    for item, image in zip(items, digits.images, strict=True):
        assert item['img'].dtype == np.uint8
        np.testing.assert_allclose(item['img'] * (16 / 255), image, atol=0.04)


def test_the_training_split_is_as_large_as_wanted():
    assert [len(Digits(split=split, num_train=300)) for split in ('train', 'test')] == [300, 1497]
    assert len(Digits(indices=120)) == 120


def test_a_pipeline_enlarges_them():
    pipeline = [dict(type='Resize', scale=28, interpolation='bicubic'), dict(type='PackInputs')]
    dataset = DATASETS.build(dict(type='Digits', split='test', pipeline=pipeline))
    sample = dataset[0]
    assert sample['inputs'].shape == (1, 28, 28)
    assert dataset.metainfo['classes'][int(sample['data_samples'].gt_label)] in '0123456789'


@pytest.mark.parametrize(
    ('settings', 'said'),
    [
        (dict(split='val'), "split must be one of 'train', 'test', got 'val'"),
        (dict(num_train=0), 'num_train must be an integer >= 1 and <= 1796, got 0'),
        (dict(num_train=1797), 'num_train must be an integer >= 1 and <= 1796, got 1797'),
    ],
)
def test_a_setting_out_of_its_range_is_refused(settings, said):
    with pytest.raises(ValueError, match=said):
        Digits(**settings)
