"""Power, false discoveries and shares of a gain, beside independent computations."""

import math

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad
from scipy.special import ndtr

from mmtmix.apps.reproduce import CellResult, paired_difference
from mmtmix.apps.reproduce.table_statistics import (
    adjusted_p,
    detectable_difference,
    p_value,
    paired_power,
    row_statistics,
    share_of_gain,
    table_power,
)

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


def test_p_values_are_those_of_the_paired_test():
    a, b = np.random.default_rng(1).normal(80, 1, (2, 6))
    found = paired_difference(dict(enumerate(a)), dict(enumerate(b)))
    assert p_value(found) == pytest.approx(stats.ttest_rel(a, b).pvalue)


def test_differences_without_a_deviation_have_no_p_value():
    for values in ([1.0], [2.0, 2.0], [0.0, 0.0, 0.0]):
        assert p_value(difference(*values)) is None
    # equal but for the rounding of the subtraction
    found = paired_difference({0: 91.3, 1: 60.3, 2: 4.1}, {0: 90.1, 1: 59.1, 2: 2.9})
    assert len(set(found.by_seed.values())) > 1 and p_value(found) is None
    assert list(adjusted_p({'chance': found, 'tested': difference(1.0, 2.0)})) == ['tested']


def test_p_values_are_adjusted_as_benjamini_and_hochberg_do():
    rng = np.random.default_rng(2)
    found = {f'm{k}': difference(*rng.normal(0.4 * k, 1, 5)) for k in range(7)}
    found |= {'single': difference(3.0), 'none': None}
    adjusted = adjusted_p(found)
    assert list(adjusted) == [f'm{k}' for k in range(7)]
    raw = {name: p_value(found[name]) for name in adjusted}
    for name, value in adjusted.items():
        # the least level at which the step-up procedure rejects it, in a loop
        levels = []
        for other in raw.values():
            if other >= raw[name]:
                rank = sum(each <= other for each in raw.values())
                levels.append(other * len(raw) / rank)
        assert value == pytest.approx(min(1, *levels))
    assert adjusted_p({'single': difference(3.0)}) == {}


@pytest.mark.parametrize('confidence', [0.8, 0.95])
def test_a_share_is_in_the_interval_exactly_if_a_test_does_not_refuse_it(confidence):
    rng = np.random.default_rng(3)
    whole = rng.normal(4, 1, 10)
    gain = 0.7 * whole + rng.normal(0, 0.8, 10)
    found = share_of_gain(dict(enumerate(gain)), dict(enumerate(whole)), confidence)
    assert found.value == pytest.approx(gain.mean() / whole.mean())
    for share in np.linspace(-1, 3, 401):
        accepts = stats.ttest_1samp(gain - share * whole, 0).pvalue >= 1 - confidence
        assert accepts == (found.low <= share <= found.high)
    for end in (found.low, found.high):
        refused_at = stats.ttest_1samp(gain - end * whole, 0).pvalue
        assert refused_at == pytest.approx(1 - confidence)


def test_a_share_needs_a_gain_that_is_told_from_zero():
    gain, whole = {0: 1.0, 1: 2.0, 2: 1.5, 7: 9.0}, {0: 2.0, 1: 3.0, 2: 2.5, 8: 1.0}
    found = share_of_gain(gain, whole)
    assert found.value == pytest.approx(1.5 / 2.5)  # of the seeds of both
    assert share_of_gain(gain, {seed: -value for seed, value in whole.items()}) is None
    assert share_of_gain(gain, {0: 9.0, 1: -1.0, 2: 1.0}) is None
    assert share_of_gain(gain, {0: 2.0}) is None
    assert share_of_gain(whole, whole) == (1.0, 1.0, 1.0)


def test_a_row_compares_each_column_with_each_reference_once(cell, record):
    tops = dict(
        none=[80.0, 81.0, 82.0],
        cutmix=[82.0, 82.5, 84.1],
        mine=[83.0, 84.5, 85.0],
        oracle=[84.0, 85.2, 86.1],
    )
    against = ('none', 'cutmix')
    cells = {n: cell(f'a/1/r/{n}', against=against, oracle='oracle') for n in tops}
    row = [
        CellResult(cells[name], [record(cells[name], seed, top) for seed, top in enumerate(of)])
        for name, of in tops.items()
    ]
    found = row_statistics(row)
    by = {name: dict(enumerate(values)) for name, values in tops.items()}
    for column, name in (('mine', 'none'), ('mine', 'cutmix'), ('none', 'cutmix')):
        assert found.differences[column][name] == paired_difference(by[column], by[name])
    to_none = {n: paired_difference(by[n], by['none']) for n in ('cutmix', 'mine', 'oracle')}
    adjusted = {n: p for (n, other), p in found.adjusted.items() if other == 'none'}
    assert adjusted == adjusted_p(to_none)
    to_cutmix = [paired_difference(by[n], by['cutmix']) for n in ('mine', 'oracle')]
    assert found.power == pytest.approx(table_power([*to_none.values(), *to_cutmix]))
    whole = to_none['oracle'].by_seed
    assert found.shares == {
        name: share_of_gain(to_none[name].by_seed, whole) for name in ('cutmix', 'mine')
    }
