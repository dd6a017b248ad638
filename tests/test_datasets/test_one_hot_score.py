"""OneHotScore: clean samples beside samples with soft labels."""

import numpy as np
import pytest
import torch
from mmengine.dataset import ConcatDataset, pseudo_collate
from mmpretrain.models import ClsDataPreprocessor, LinearClsHead
from mmpretrain.registry import TRANSFORMS

from mmtmix.datasets import FashionMNISTIdx, MixedImages, OneHotScore

pytestmark = pytest.mark.host

PACK = {'type': 'PackInputs'}
CROP = {'type': 'RandomCrop', 'crop_size': 28, 'padding': 2}


def scores_of(batch):
    return torch.stack([sample.gt_score for sample in batch['data_samples']])


@pytest.mark.parametrize('label', [2, np.int64(2), np.uint8(2)])
def test_one_hot(label):
    transform = TRANSFORMS.build({'type': 'OneHotScore', 'num_classes': 4})
    item = transform({'gt_label': label, 'img': 'x'})
    assert item['gt_label'] is label and item['img'] == 'x'
    assert item['gt_score'].dtype == np.float32
    assert item['gt_score'].tolist() == [0, 0, 1, 0]
    assert repr(transform) == 'OneHotScore(num_classes=4)'


def test_a_score_that_is_there_stays():
    score = np.float32([0.5, 0.25, 0.25])
    item = OneHotScore(3)({'gt_label': 1, 'gt_score': score})
    assert item['gt_score'] is score and score.tolist() == [0.5, 0.25, 0.25]
    with pytest.raises(ValueError, match='gt_score has 3 values, but num_classes=4'):
        OneHotScore(4)({'gt_score': score})


@pytest.mark.parametrize('item', [{}, {'gt_label': 4}, {'gt_label': -1}, {'gt_label': [1]}])
def test_labels_that_fit_not(item):
    with pytest.raises(ValueError, match=r'gt_label must be an integer in \[0, 4\)'):
        OneHotScore(4)(item)


@pytest.mark.parametrize('num_classes', [0, -1, 2.0, '10', None, True])
def test_num_classes(num_classes):
    with pytest.raises((TypeError, ValueError), match='num_classes must be'):
        OneHotScore(num_classes)


def make_mixed(make_set, pipeline=(CROP, PACK), labels='soft_teacher'):
    """Grey mixes of four of Fashion-MNIST's classes, told as being of its ten."""
    folder, _, records = make_set(sizes=(6,), shape=(28, 28), num_classes=10)
    return MixedImages(folder, labels=labels, pipeline=pipeline), records[0]


def make_clean(*transforms):
    return FashionMNISTIdx(indices=6, pipeline=[CROP, *transforms, PACK])


def test_a_mixed_batch_passes_the_preprocessor_and_the_head(make_set):
    mixed, records = make_mixed(make_set)
    clean = make_clean({'type': 'OneHotScore', 'num_classes': 10})
    data = ConcatDataset([clean, mixed], ignore_keys='classes')
    assert len(data) == 12
    for order in ([0, 1, 6, 7], [6, 0, 7, 1]):  # the first sample is clean, or mixed
        batch = pseudo_collate([data[i] for i in order])
        out = ClsDataPreprocessor(mean=[0.0], std=[255.0])(batch, training=True)
        assert out['inputs'].shape == (4, 1, 28, 28)
        expected = [np.eye(10)[i] if i < 6 else records.targets[i - 6] for i in order]
        scores = scores_of(out)
        np.testing.assert_array_equal(scores.numpy(), np.float32(expected))
        labels = [int(sample.gt_label) for sample in out['data_samples']]
        assert labels == [i if i < 6 else records.winners[i - 6] for i in order]

        head = LinearClsHead(10, 3, loss={'type': 'CrossEntropyLoss', 'use_soft': True})
        features = torch.randn(4, 3)
        loss = head.loss((features,), out['data_samples'])['loss']
        logits = head.fc(features)
        by_hand = -(scores * logits.log_softmax(dim=1)).sum(dim=1).mean()
        torch.testing.assert_close(loss, by_hand)


def test_without_it_the_batch_depends_on_its_first_sample(make_set):
    """Why the transform is there: what MMPretrain does with such a batch."""
    mixed, records = make_mixed(make_set)
    preprocessor = ClsDataPreprocessor(to_onehot=True, num_classes=10)
    clean = make_clean()
    out = preprocessor(pseudo_collate([clean[0], mixed[0]]))
    assert scores_of(out)[1].tolist() == np.eye(10)[records.winners[0]].tolist()  # hardened
    with pytest.raises(AttributeError):
        preprocessor(pseudo_collate([mixed[0], clean[0]]))
