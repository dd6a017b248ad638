"""P-values, false discoveries and shares of a gain, beside independent computations."""

import numpy as np
import pytest
from scipy import stats

from mmtmix.apps.reproduce import CellResult, paired_difference
from mmtmix.apps.reproduce.power import table_power
from mmtmix.apps.reproduce.table_statistics import (
    adjusted_p,
    p_value,
    row_statistics,
    share_of_gain,
)

pytestmark = pytest.mark.host


def difference(*values):
    return paired_difference(dict(enumerate(values)), dict.fromkeys(range(len(values)), 0.0))


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
