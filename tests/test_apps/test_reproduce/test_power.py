"""What a paired test detects: against an integral, known tables and simulated samples."""

import math

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad
from scipy.special import ndtr

from mmtmix.apps.reproduce.paired import paired_difference
from mmtmix.apps.reproduce.power import detectable_difference, paired_power, table_power

pytestmark = pytest.mark.host


def difference(*values):
    return paired_difference(dict(enumerate(values)), dict.fromkeys(range(len(values)), 0.0))


def power_by_integration(effect, pairs, level):
    """The probability over the deviation of the sample: given that, a mean is normal."""
    bound = stats.t.isf(level / 2, pairs - 1) / math.sqrt(pairs)

    df, root = pairs - 1, math.sqrt(pairs)
    of_chi = 2 ** (1 - df / 2) / math.gamma(df / 2)

    def at(scale):  # the sample's deviation in units of the true one
        beyond = ndtr((effect - bound * scale) * root) + ndtr((-effect - bound * scale) * root)
        chi = scale * math.sqrt(df)
        return beyond * of_chi * chi ** (df - 1) * math.exp(-(chi**2) / 2)

    return math.sqrt(df) * quad(at, 0, 6, limit=200)[0]


@pytest.mark.parametrize('pairs', [2, 3, 5, 10, 30])
def test_the_power_is_that_of_an_integral(pairs):
    for effect in (0.0, 0.3, 1.0, 2.5):
        for level in (0.01, 0.05):
            expected = power_by_integration(effect, pairs, level)
            assert paired_power(effect, pairs, level) == pytest.approx(expected, abs=2e-4)
    assert paired_power(100.0, 3) == pytest.approx(1, abs=1e-9)
    # what is detectable is detected so often
    least = detectable_difference(0.4, pairs)
    assert power_by_integration(least / 0.4, pairs, 0.05) == pytest.approx(0.8, abs=3e-4)


def test_the_power_is_that_of_known_tables():
    # R: power.t.test(delta=.5, power=.8, type='paired') and delta=.8; as statsmodels' TTestPower
    assert paired_power(0.5, 33.3672) == pytest.approx(0.8, abs=1e-5)
    assert paired_power(0.5, 33) < 0.8 < paired_power(0.5, 34)


def test_the_power_is_the_share_of_samples_that_a_test_tells_from_zero():
    rng = np.random.default_rng(0)
    least = detectable_difference(0.3, 10)
    samples = rng.normal(least, 0.3, (20_000, 10))
    found = np.mean(stats.ttest_1samp(samples, 0, axis=1).pvalue < 0.05)
    assert found == pytest.approx(0.8, abs=0.01)  # 3.5 standard errors


def test_a_table_pools_the_deviations_of_its_comparisons():
    a, b, c = [0.0, 1.0, 2.0], [5.0, 5.0, 8.0, 6.0], [9.0]
    found = table_power([difference(*values) for values in (a, b, c)])
    pooled = math.sqrt((2 * np.var(a, ddof=1) + 3 * np.var(b, ddof=1)) / 5)
    assert found.deviation == pytest.approx(pooled)
    assert (found.pairs, found.is_fewest) == (3, True)
    assert found.detectable == pytest.approx(detectable_difference(pooled, 3))
    assert not table_power([difference(*a)]).is_fewest
    assert table_power([difference(1.0), difference(2.0, 2.0)]) is None
    assert table_power([]) is None
