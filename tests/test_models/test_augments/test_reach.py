"""Whether a batch reaches the mixers of a data preprocessor, or the run is refused."""

from types import SimpleNamespace

import pytest
import torch
from mmengine.runner import Runner
from mmpretrain.engine import SwitchRecipeHook
from mmpretrain.models import ClsDataPreprocessor, SelfSupDataPreprocessor
from mmpretrain.structures import DataSample, MultiTaskDataSample

from mmtmix.models import SampleMixup
from mmtmix.models.augments.reach import (
    BatchWatch,
    can_mix,
    check_samples,
    prepare_switch,
    warn_unmixed,
    watch,
)

pytestmark = pytest.mark.host


def preprocessor(**settings):
    return ClsDataPreprocessor(**dict(dict(mean=[0.0], std=[1.0], num_classes=4), **settings))


def batch(num_samples=3):
    return dict(
        inputs=torch.rand(num_samples, 1, 4, 4),
        data_samples=[DataSample().set_gt_label(n) for n in range(num_samples)],
    )


MIXING = dict(batch_augments=dict(augments=dict(type='SampleMixup')))


class Making(Runner):
    """Makes something while it stands in the call stack."""

    def __init__(self, model=None):
        if model is not None:
            self.model = model

    def make(self, kind):
        return kind()


class Switching(SwitchRecipeHook):
    """Brings a mixer, as a schedule of recipes does."""

    def __init__(self):
        self.mixer = SampleMixup()


def model_of(data_preprocessor, **head):
    return SimpleNamespace(data_preprocessor=data_preprocessor, head=SimpleNamespace(**head))


@pytest.mark.parametrize('by_name', [True, False])
def test_labels_are_one_hot_while_training_has_augments(by_name):
    watched = preprocessor(**MIXING)

    def scores(training):
        call = dict(data=batch(), training=training)
        result = watched(**call) if by_name else watched(*call.values())
        return [sample.get('gt_score') for sample in result['data_samples']]

    mixed = scores(True)
    assert all(score.shape == (4,) for score in mixed)
    watched.batch_augments = None  # SwitchRecipeHook takes them away
    assert all(score.shape == (4,) for score in scores(False))  # it follows training alone
    assert all(score is None for score in scores(True))
    assert watched.to_onehot is False


def test_one_hot_labels_that_the_config_wants_stay():
    watched = preprocessor(to_onehot=True, **MIXING)
    watched.batch_augments = None
    watched(batch(), training=True)
    assert watched.to_onehot is True


def test_a_preprocessor_is_watched_once():
    plain = preprocessor()
    plain.register_forward_pre_hook(lambda module, args: None)
    for _ in range(2):
        watch(plain)
    hooks = [hook for hook in plain._forward_pre_hooks.values() if isinstance(hook, BatchWatch)]
    assert len(hooks) == 1
    built = preprocessor(batch_augments=dict(augments=[dict(type='SampleMixup')] * 2))
    assert len(built._forward_pre_hooks) == 1
    # a mixer that is made alone watches nothing
    SampleMixup()
    assert len(built._forward_pre_hooks) == 1


@pytest.mark.parametrize(
    ('data', 'message'),
    [
        (dict(data_samples=[MultiTaskDataSample()]), 'several tasks'),
        (dict(data_samples=[DataSample()]), 'no labels'),
        (dict(data_samples=[dict(gt_label=1)]), 'no labels'),
        (dict(data_samples=[]), 'no labels'),
        (dict(data_samples=SimpleNamespace(gt_label=1)), 'no labels'),
        (dict(inputs=torch.rand(2, 1, 4, 4)), 'no labels'),
        ([torch.rand(2, 1, 4, 4)], 'no labels'),
    ],
)
def test_samples_without_labels_to_mix_are_refused(data, message):
    with pytest.raises(ValueError, match=message):
        check_samples(data)
    watched = BatchWatch(to_onehot=False)
    mixing = preprocessor(**MIXING)
    with pytest.raises(ValueError, match=message):
        watched(mixing, (), dict(data=data, training=True))
    watched(mixing, (), dict(data=data, training=False))
    watched(mixing, (data,), {})


@pytest.mark.parametrize('label', ['gt_label', 'gt_score'])
def test_either_label_will_do(label):
    sample = DataSample()
    value = 1 if label == 'gt_label' else torch.tensor([0.0, 1.0])
    getattr(sample, f'set_{label}')(value)
    check_samples(dict(data_samples=[sample]))
    check_samples(dict(data_samples=(sample, DataSample())))


def test_a_model_is_made_ready_for_mixers_that_come_later():
    plain = preprocessor(num_classes=None)
    prepare_switch(model_of(plain, num_classes=7, cal_acc=False))
    assert plain.num_classes == 7
    assert len(plain._forward_pre_hooks) == 1
    known = preprocessor()
    prepare_switch(model_of(known, num_classes=7))
    assert known.num_classes == 4


def test_a_runner_makes_its_model_ready_for_the_mixers_of_a_switch_alone():
    plain, switched = preprocessor(), preprocessor()
    Making(model_of(plain)).make(SampleMixup)
    assert not plain._forward_pre_hooks
    Making(model_of(switched)).make(Switching)
    assert len(switched._forward_pre_hooks) == 1
    for kind in (SampleMixup, Switching):  # before there is a model
        Making().make(kind)


@pytest.mark.parametrize(
    ('data_preprocessor', 'head', 'message'),
    [
        (SelfSupDataPreprocessor(), dict(num_classes=4), 'applies no batch augments'),
        (preprocessor(), dict(num_classes=4, cal_acc=True), 'cal_acc=False'),
        (preprocessor(num_classes=None), {}, 'number of classes is unknown'),
    ],
)
def test_a_model_that_could_take_none_is_refused(data_preprocessor, head, message):
    with pytest.raises(ValueError, match=message):
        prepare_switch(model_of(data_preprocessor, **head))
    assert not data_preprocessor._forward_pre_hooks


def test_who_takes_augments():
    assert can_mix(preprocessor())
    assert not can_mix(SelfSupDataPreprocessor())
    assert not can_mix(SimpleNamespace(batch_augments=None, takes_augments=False))
    assert can_mix(SimpleNamespace(takes_augments=True))


def test_an_unmixed_batch_is_logged_with_its_size(capsys):
    warn_unmixed(3, 4)
    printed = capsys.readouterr()
    assert 'batch of 3 is smaller than num_mix=4' in printed.out + printed.err
