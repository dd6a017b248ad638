"""Several mixes of a batch: what the network and the labels get."""

import numpy as np
import pytest
import torch
from mmpretrain.models import LinearClsHead
from mmpretrain.models.utils.batch_augments import RandomBatchAugment
from mmpretrain.structures import DataSample

from mmtmix.models import RepeatMixPreprocessor, SampleCutMix, SampleMixup, TransformMix

pytestmark = pytest.mark.host


def preprocessor(augments, repeat=3, probs=None, **kwargs):
    settings = dict(augments=augments, probs=probs)
    return RepeatMixPreprocessor(
        repeat, mean=[10.0], std=[2.0], num_classes=4, batch_augments=settings, **kwargs
    )


def batch(count=4):
    inputs = torch.stack([torch.full((1, 6, 6), 10.0 + 2 * i) for i in range(count)])
    samples = [DataSample().set_gt_label(i) for i in range(count)]
    return dict(inputs=inputs.byte(), data_samples=samples)


def shares(data):
    """The weight of each class, read off the pixels: image i is i everywhere."""
    return torch.stack([sample.gt_score for sample in data['data_samples']])


@pytest.mark.parametrize('augment', ['SampleMixup', 'SampleCutMix', 'Mixup', 'CutMix'])
def test_each_image_is_mixed_several_times_and_labels_follow(augment):
    data = preprocessor(dict(type=augment, alpha=1.0))(batch(), training=True)
    assert data['inputs'].shape == (12, 1, 6, 6)
    scores = shares(data)
    assert scores.shape == (12, 4)
    torch.testing.assert_close(scores.sum(dim=1), torch.ones(12))
    # the mean of a mix is that of its images by their shares
    expected = scores @ torch.arange(4.0)
    torch.testing.assert_close(data['inputs'].mean(dim=(1, 2, 3)), expected)


@pytest.mark.parametrize('repeat', [1, 2])
@pytest.mark.parametrize('augment', ['SampleMixup', 'SampleCutMix', 'Mixup', 'CutMix', 'FMix'])
def test_a_step_can_have_the_clean_images_too(augment, repeat):
    augment = dict(type=augment, alpha=1.0)
    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002  (as MMPretrain draws)
    data = preprocessor(augment, repeat, keep_clean=True)(batch(), training=True)
    assert len(data['inputs']) == len(data['data_samples']) == 4 * (1 + repeat)
    assert torch.equal(data['inputs'][:4].mean(dim=(1, 2, 3)), torch.arange(4.0))
    assert torch.equal(shares(data)[:4], torch.eye(4))
    # the mixes are those of a step without clean images
    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002  (as MMPretrain draws)
    alone = preprocessor(augment, repeat)(batch(), training=True)
    assert torch.equal(data['inputs'][4:], alone['inputs'])
    assert torch.equal(shares(data)[4:], shares(alone))
    # in validation nothing is added
    assert len(preprocessor(augment, repeat, keep_clean=True)(batch())['inputs']) == 4


def test_the_loss_of_clean_and_mixed_images_is_the_mean_over_both(make_batch_loss):
    module = preprocessor(dict(type='SampleCutMix'), 2, keep_clean=True)
    data = module(batch(), training=True)
    loss, per_row = make_batch_loss(data)
    clean, mixed = per_row[:4].mean(), per_row[4:].mean()
    torch.testing.assert_close(loss, (clean + 2 * mixed) / 3)


@pytest.fixture
def make_batch_loss():
    """Compute the loss of a small classifier's head, and that of each row."""

    def make(data):
        head = LinearClsHead(num_classes=4, in_channels=36)
        features = data['inputs'].flatten(1)
        loss = head.loss((features,), data['data_samples'])['loss']
        logits = head.fc(features).log_softmax(dim=1)
        return loss, -(shares(data) * logits).sum(dim=1)

    return make


def test_repeats_differ():
    torch.manual_seed(0)
    data = preprocessor(dict(type='SampleMixup'), repeat=2)(batch(), training=True)
    first, second = shares(data).chunk(2)
    assert not torch.equal(first, second)


def test_mixes_choose_among_augments_by_their_probabilities():
    augments = [dict(type='SampleMixup'), dict(type='CutMix', alpha=1.0)]
    data = preprocessor(augments, repeat=200, probs=[0.0, 0.25])(batch(), training=True)
    scores = shares(data).view(200, 4, 4)
    clean = (scores == torch.eye(4)).all(dim=2).all(dim=1)
    assert 0.6 < clean.float().mean() < 0.9  # three quarters are left alone


@pytest.mark.parametrize('augments', [[], None])
def test_without_mixing_nothing_repeats(augments):
    module = preprocessor(dict(type='SampleMixup'))
    if augments is None:
        module.batch_augments = None
    data = module(batch(), training=augments is None)
    assert data['inputs'].shape == (4, 1, 6, 6)
    assert len(data['data_samples']) == 4


def test_a_batch_too_small_to_mix_is_repeated_unmixed():
    data = preprocessor(dict(type='SampleMixup'))(batch(1), training=True)
    torch.testing.assert_close(shares(data), torch.eye(4)[[0, 0, 0]])


def test_samples_stay_apart():
    data = preprocessor(dict(type='SampleMixup'))(batch(), training=True)
    assert len({id(sample) for sample in data['data_samples']}) == 12
    assert [int(sample.gt_label) for sample in data['data_samples']] == [0, 1, 2, 3] * 3


def test_a_teacher_is_asked_once_for_all_repeats(make_teacher):
    teacher = make_teacher()
    seen = []
    teacher.model.backbone.register_forward_hook(lambda m, args, out: seen.append(len(args[0])))
    mixer = dict(type='TransformMixer', cam_size=18)
    augment = TransformMix(teacher, mixer)
    inputs, scores = torch.randn(4, 3, 16, 16), torch.eye(10)[:4]
    mixed, targets, details = augment(inputs, scores, return_details=True, repeat=5)
    assert seen == [4]
    assert mixed.shape == (20, 3, 16, 16)
    assert targets.shape == (20, 10)
    assert details['index'].shape == (20, 2)
    assert torch.equal(details['index'][:, 0], torch.arange(4).repeat(5))


def test_the_choice_of_mmpretrain_is_the_same_object():
    augment = SampleCutMix()
    module = preprocessor([augment, SampleMixup()])
    assert isinstance(module.batch_augments, RandomBatchAugment)
    assert module.batch_augments.augments[0] is augment


@pytest.mark.parametrize('repeat', [0, 1.5, '2'])
def test_repeat_must_be_a_positive_integer(repeat):
    said = f'repeat must be an integer >= 1, got {repeat!r}'
    with pytest.raises((TypeError, ValueError), match=said):
        RepeatMixPreprocessor(repeat)
