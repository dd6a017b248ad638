"""Batches of a resident set: what the network gets from ours and from MMPretrain's."""

import numpy as np
import pytest
import torch
from mmpretrain.models import ClsDataPreprocessor

from mmtmix.datasets import ResidentDataset, resident_collate
from mmtmix.models import ResidentPreprocessor

pytestmark = pytest.mark.host

ONE_HOT = dict(type='OneHotScore', num_classes=10)
STATS = dict(mean=[72.0] * 3, std=[90.0, 91.0, 92.0], num_classes=10)
MIXUP = dict(augments=[dict(type='SampleMixup'), dict(type='CutMix', alpha=1.0)], probs=[0.5, 0.5])


@pytest.fixture(scope='module')
def sets():
    """Resident sets without and with scores."""
    return [
        ResidentDataset(
            dict(
                type='FashionMNISTIdx',
                indices=16,
                channels=3,
                pipeline=[*scores, dict(type='PackInputs')],
            )
        )
        for scores in ([], [ONE_HOT])
    ]


@pytest.mark.parametrize('has_scores', [False, True])
@pytest.mark.parametrize('training', [False, True])
@pytest.mark.parametrize(
    'settings',
    [
        {},
        dict(to_onehot=True),
        dict(to_rgb=True, pad_size_divisor=5, pad_value=3),
        dict(batch_augments=MIXUP),
    ],
)
def test_it_gives_what_the_ordinary_one_gives(sets, settings, training, has_scores):
    found = []
    for kind in (ResidentPreprocessor, ClsDataPreprocessor):
        torch.manual_seed(0)
        np.random.seed(0)  # noqa: NPY002
        batch = resident_collate(sets[has_scores].__getitems__([3, 1, 2, 7]))
        kwargs = {key: dict(v) if isinstance(v, dict) else v for key, v in settings.items()}
        if 'batch_augments' in kwargs:  # the host appends to the list of probabilities
            kwargs['batch_augments']['probs'] = [0.5, 0.5]
        found.append(kind(**STATS, **kwargs)(batch, training=training))
    ours, theirs = found
    assert torch.equal(ours['inputs'], theirs['inputs'])
    for one, two in zip(ours['data_samples'], theirs['data_samples'], strict=True):
        assert sorted(one.all_keys()) == sorted(two.all_keys())
        assert sorted(one.metainfo_keys()) == sorted(two.metainfo_keys())
        assert torch.equal(one.gt_label, two.gt_label)
        assert one.get('num_classes') == two.get('num_classes')
        needs = has_scores or bool({'to_onehot', 'batch_augments'} & settings.keys())
        assert ('gt_score' in one) == needs
        if 'gt_score' in one:
            assert one.gt_score.dtype == two.gt_score.dtype
            assert torch.equal(one.gt_score, two.gt_score)


def test_labels_that_are_on_the_device_stay_as_they_are(sets):
    batch = resident_collate(sets[0].__getitems__([0, 1]))
    labels = batch['data_samples'].labels
    # another spelling of the same device, as 'cuda' and 'cuda:0' are
    done = ResidentPreprocessor(**STATS).to('cpu:0')(batch)
    assert done['data_samples'].labels is labels


def test_ordinary_batches_go_the_ordinary_way(sets):
    batch = dict(resident_collate(sets[0].__getitems__([0, 1])))
    batch['data_samples'] = list(batch['data_samples'])
    done = ResidentPreprocessor(**STATS, to_onehot=True)(batch)
    assert done['data_samples'][1].gt_score.sum() == 1


def test_one_hot_labels_need_the_number_of_classes(sets):
    module = ResidentPreprocessor(to_onehot=True)
    with pytest.raises(ValueError, match=r'set data_preprocessor=dict\(num_classes=...\)'):
        module(resident_collate(sets[0].__getitems__([0, 1])))
