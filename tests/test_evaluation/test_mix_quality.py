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
