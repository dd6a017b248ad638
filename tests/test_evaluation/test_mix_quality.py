"""Averages over a validation set, whatever its batches."""

import pytest
from mmpretrain.registry import METRICS

import mmtmix.evaluation  # noqa: F401  (registers the metric)


def samples(*qualities):
    return [dict(mix_quality=quality) for quality in qualities]


@pytest.fixture
def metric():
    return METRICS.build(dict(type='MixQuality'))


def test_it_averages_over_the_samples_and_not_over_the_batches(metric):
    metric.process({}, samples({'mixup/ce': 1.0}, {'mixup/ce': 2.0}, {'mixup/ce': 3.0}))
    metric.process({}, samples({'mixup/ce': 10.0}))
    assert metric.evaluate(size=4) == {'mix/mixup/ce': pytest.approx(4.0)}


def test_matches_of_the_top_classes_are_a_percentage(metric):
    metric.process({}, samples(*[{'cutmix/top_k': value} for value in (1.0, 0.0, 0.0, 0.0)]))
    assert metric.evaluate(size=4) == {'mix/cutmix/top_k': pytest.approx(25.0)}


def test_samples_of_a_batch_too_small_to_mix_do_not_count(metric):
    metric.process({}, samples({'mixup/ce': 2.0}, {'mixup/ce': 4.0}))
    metric.process({}, samples(None))
    assert metric.evaluate(size=3) == {'mix/mixup/ce': pytest.approx(3.0)}


def test_without_a_single_mix_the_error_names_the_batch_size(metric):
    metric.process({}, samples(None))
    with pytest.raises(ValueError, match='batch_size of at least num_mix'):
        metric.evaluate(size=1)


def ces(own, mixup, cutmix):
    return {'transformmix/ce': own, 'mixup/ce': mixup, 'cutmix/ce': cutmix}


@pytest.mark.parametrize(
    ('figures', 'said'),
    [
        ((0.5, 0.7, 0.6), None),
        ((0.9961, 0.988, 0.976), 'those of CutMix: cross entropy 0.996 against 0.976 nats on 3'),
        # below one of the two alone, equal, and not a number
        ((0.98, 0.97, 0.99), 'those of Mixup: cross entropy 0.980 against 0.970 nats on 3 mixes'),
        ((0.98, 0.98, 0.99), 'those of Mixup'),
        ((float('nan'), 0.98, 0.99), 'cross entropy nan against 0.980'),
    ],
)
def test_a_module_no_better_than_a_blind_mixer_is_warned_of(metric, figures, said):
    assert metric.warning(2) is None
    metric.process({}, samples(*[ces(*figures)] * 3))
    metric.evaluate(size=3)
    if said is None:
        assert metric.warning(2) is None
        return
    assert said in metric.warning(2)
    assert "init), or use a shipped module: mixer='mmtmix://fashionmnist_k2'." in metric.warning(2)
    assert "'mmtmix://fashionmnist_k3'" in metric.warning(3)
    assert metric.warning(4).endswith('--search-epochs of init).')
