"""Views of images, as a network gets them."""

import pytest
import torch
from mmpretrain.models import ClsDataPreprocessor
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample

pytestmark = pytest.mark.host

STATS = dict(mean=[10.0, 20.0, 30.0], std=[2.0, 3.0, 4.0], to_rgb=True)


def build(**settings):
    return MODELS.build(dict(type='ViewsPreprocessor', _scope_='mmpretrain', **settings))


def batch(count=2, views=3, shape=(3, 4, 5)):
    inputs = torch.randint(256, (count, views, *shape), dtype=torch.uint8)
    return inputs, [DataSample().set_gt_label(i) for i in range(count)]


@pytest.mark.parametrize('collated', [True, False])
def test_views_come_one_after_the_other_each_normalised_as_ever(collated):
    inputs, samples = batch()
    data = dict(inputs=inputs if collated else list(inputs), data_samples=samples)
    found = build(**STATS)(data, training=True)
    plain = ClsDataPreprocessor(**STATS)
    expected = [plain(dict(inputs=inputs[:, view]))['inputs'] for view in range(3)]
    assert torch.equal(found['inputs'], torch.cat(expected))
    assert found['data_samples'] == samples
    assert data['inputs'] is inputs or isinstance(data['inputs'], list)


@pytest.mark.parametrize('collated', [True, False])
def test_images_without_views_are_treated_as_ever(collated):
    inputs, samples = batch()
    images = inputs[:, 0]
    data = dict(inputs=images if collated else list(images), data_samples=samples)
    found = build(**STATS)(data)
    assert torch.equal(found['inputs'], ClsDataPreprocessor(**STATS)(data)['inputs'])


def test_grey_views_are_padded_and_labels_become_scores():
    inputs, samples = batch(shape=(1, 5, 7))
    settings = dict(mean=[5.0], std=[2.0], pad_size_divisor=4, to_onehot=True, num_classes=4)
    found = build(**settings)(dict(inputs=inputs, data_samples=samples))
    assert found['inputs'].shape == (6, 1, 8, 8)
    assert [sample.gt_score.argmax().item() for sample in found['data_samples']] == [0, 1]


def test_views_of_several_sizes_are_refused():
    views = [torch.zeros(3, 1, 4, 4), torch.zeros(3, 1, 4, 5)]
    with pytest.raises(ValueError, match='must have one size'):
        build()(dict(inputs=views))


def test_batch_augments_are_refused():
    augments = dict(augments=dict(type='Mixup', alpha=1.0))
    with pytest.raises(ValueError, match='leave out model.train_cfg'):
        build(batch_augments=augments, num_classes=4)
