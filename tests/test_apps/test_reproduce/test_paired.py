"""Differences within pairs of seeds, and their intervals."""

import math

import numpy as np
import pytest
from scipy import stats

from mmtmix.apps.reproduce import PairedDifference, paired_difference

pytestmark = pytest.mark.host


@pytest.mark.parametrize('confidence', [0.8, 0.95, 0.99])
@pytest.mark.parametrize('count', [2, 3, 10])
def test_the_interval_is_that_of_the_paired_t_test(count, confidence):
    rng = np.random.default_rng(count)
    a, b = rng.normal(80, 1, count), rng.normal(79, 1, count)
    found = paired_difference(dict(enumerate(a)), dict(enumerate(b)), confidence)
    mean, error = np.mean(a - b), np.std(a - b, ddof=1) / math.sqrt(count)
    margin = stats.t.ppf((1 + confidence) / 2, count - 1) * error
    assert (found.low, found.high) == pytest.approx((mean - margin, mean + margin))
    assert found.mean == pytest.approx(mean)
    assert list(found.by_seed.values()) == pytest.approx(a - b)


def test_three_pairs_by_hand():
    # the differences are 1, 2 and 3: their deviation is 1, and t of two degrees 4.3027
    found = paired_difference({0: 81.0, 1: 82.0, 2: 83.0}, {0: 80.0, 1: 80.0, 2: 80.0})
    margin = 4.30265273 / math.sqrt(3)
    assert found.mean == 2.0
    assert (found.low, found.high) == pytest.approx((2 - margin, 2 + margin))
    assert not found.excludes_zero


def test_only_common_seeds_count():
    a, b = {0: 1.0, 1: 2.0, 5: 90.0}, {7: 50.0, 1: 1.0, 0: 0.0}
    assert paired_difference(a, b) == PairedDifference(1.0, 1.0, 1.0, {0: 1.0, 1: 1.0})
    assert paired_difference(a, {7: 2.0}) is None
    assert paired_difference({}, b) is None


def test_a_single_pair_has_a_difference_and_no_interval():
    found = paired_difference({0: 81.0, 1: 82.0}, {0: 80.0, 7: 80.0})
    assert found == PairedDifference(1.0, None, None, {0: 1.0})
    assert not found.excludes_zero


@pytest.mark.parametrize(
    ('low', 'high', 'expected'),
    [(0.1, 0.3, True), (-0.3, -0.1, True), (-0.1, 0.3, False), (0.0, 0.2, False)],
)
def test_an_interval_excludes_zero_on_either_side(low, high, expected):
    assert PairedDifference((low + high) / 2, low, high, {}).excludes_zero is expected


@pytest.mark.parametrize('confidence', [0, 1, 95, math.nan])
def test_a_confidence_is_a_share(confidence):
    with pytest.raises(ValueError, match='confidence must be a finite number > 0 and < 1, got'):
        paired_difference({0: 1.0, 1: 2.0}, {0: 1.0, 1: 1.0}, confidence)
