"""What a table of comparisons can tell: its power, its false discoveries, shares of a gain."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq
from scipy.stats import false_discovery_control, nct, t, ttest_1samp

from mmtmix.checks import check_integer, check_number

from .experiments import TOP1
from .paired import CONFIDENCE, PairedDifference
from .results import CellResult, differences

LEVEL = 0.05
"""Level of the tests, and bound of the adjusted p-values that are marked."""
POWER = 0.8


class Power(NamedTuple):
    """The difference that a table detects.

    Attributes:
        detectable: Smallest true difference that is detected with :data:`POWER`, in the unit of
            the values.
        pairs: Number of pairs of seeds, >= 2; the fewest of the table's comparisons with
            intervals.
        deviation: Standard deviation of paired differences, pooled over these comparisons.
        is_fewest: Whether other comparisons have more pairs.
    """

    detectable: float
    pairs: int
    deviation: float
    is_fewest: bool


class Share(NamedTuple):
    """A method's gain as a share of another gain, 1 for all of it, with Fieller's interval.

    Attributes:
        value: Ratio of the mean gains.
        low: Lower end of the confidence interval.
        high: Upper end of the confidence interval.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class RowStatistics:
    """Comparisons of the cells of a row of an experiments file, which are one table.

    Attributes:
        differences: Differences by column and then by reference; None without common seeds.
        adjusted: Adjusted p-values by column and reference.
        power: What the table detects; None without a deviation.
        shares: Shares of the oracle's gain over the first reference, by column; None for those
            without an interval.
    """

    differences: Mapping[str, Mapping[str, PairedDifference | None]]
    adjusted: Mapping[tuple[str, str], float]
    power: Power | None = None
    shares: Mapping[str, Share | None] = field(default_factory=dict)


def row_statistics(row: Sequence[CellResult], metric: str = TOP1) -> RowStatistics:
    """Return the comparisons of a row's cells with the columns in ``against``.

    Args:
        row: Results of the cells of one row.
        metric: Metric to compare.
    """
    found = {result.cell.column: differences(result, row, metric) for result in row}
    cell = row[0].cell
    adjusted = {
        (column, name): value
        for name in cell.against
        for column, value in adjusted_p({c: d.get(name) for c, d in found.items()}).items()
    }
    # a comparison of two references is in both directions, and counts once
    pairs = {
        frozenset((column, name)): d for column, of in found.items() for name, d in of.items()
    }
    power = table_power(d for d in pairs.values() if d is not None)
    shares: dict[str, Share | None] = {}
    if cell.oracle and cell.against:
        gains = {column: of.get(cell.against[0]) for column, of in found.items()}
        oracle = gains.get(cell.oracle)
        shares = {
            column: share_of_gain(gain.by_seed, oracle.by_seed) if gain and oracle else None
            for column, gain in gains.items()
            if column not in (cell.oracle, cell.against[0])
        }
    return RowStatistics(found, adjusted, power, shares)


def p_value(found: PairedDifference) -> float | None:
    """Return the p-value of the two-sided paired t-test; None with a single pair.

    Args:
        found: Difference of two methods. Without any deviation, it is 0, or 1 if the difference
            is zero.
    """
    values = list(found.by_seed.values())
    if len(values) < 2:
        return None
    if len(set(values)) == 1:
        return float(values[0] == 0)
    return float(ttest_1samp(values, 0.0).pvalue)


def adjusted_p(found: Mapping[str, PairedDifference | None]) -> dict[str, float]:
    """Return the p-values of comparisons with one reference, adjusted for their number.

    Those below a bound hold, in the mean, at most that share of false discoveries (Benjamini and
    Hochberg, 1995). This is proven for independent tests, and for one-sided tests with a shared
    reference (Benjamini and Yekutieli, 2001). Ours are two-sided, for
    which it is not proven.

    Args:
        found: Differences to the reference, by the name of the method. Those without a p-value
            are left out.
    """
    values = {name: p_value(each) for name, each in found.items() if each is not None}
    known = {name: value for name, value in values.items() if value is not None}
    if not known:
        return {}
    adjusted = false_discovery_control(list(known.values()))
    return dict(zip(known, map(float, adjusted), strict=True))


def table_power(found: Iterable[PairedDifference]) -> Power | None:
    """Return the difference that comparisons of a table detect.

    Args:
        found: Comparisons, each once. Those with one pair do not count.

    Returns:
        The power, by the pooled deviation of all of them; None without any deviation.
    """
    samples = [np.array(list(each.by_seed.values())) for each in found if len(each.by_seed) > 1]
    if not samples:
        return None
    squares = sum(float(((values - values.mean()) ** 2).sum()) for values in samples)
    counts = [len(values) for values in samples]
    deviation = math.sqrt(squares / sum(count - 1 for count in counts))
    if deviation == 0:
        return None
    fewest = min(counts)
    detectable = detectable_difference(deviation, fewest)
    return Power(detectable, fewest, deviation, max(counts) > fewest)


def detectable_difference(
    deviation: float, pairs: int, power: float = POWER, level: float = LEVEL
) -> float:
    """Return the smallest true difference that a two-sided paired t-test detects.

    Args:
        deviation: Standard deviation of the differences of pairs, > 0.
        pairs: Number of pairs, >= 2.
        power: Probability with which the difference is detected, in (level, 1).
        level: Level of the test, in (0, 1).

    Returns:
        The difference, in the unit of the deviation.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range.
    """
    check_number('deviation', deviation, above=0)
    check_integer('pairs', pairs, 2)
    check_number('level', level, above=0, below=1)
    check_number('power', power, above=level, below=1)
    most = 1.0
    while paired_power(most, pairs, level) < power:
        most *= 2
    return deviation * brentq(lambda effect: paired_power(effect, pairs, level) - power, 0, most)


def paired_power(effect: float, pairs: float, level: float = LEVEL) -> float:
    """Return the probability that a two-sided paired t-test detects a difference.

    By the noncentral t distribution with n - 1 degrees of freedom, which is exact for normal
    differences.

    Args:
        effect: Size of the true mean of the differences, in units of their standard deviation,
            >= 0.
        pairs: Number n of pairs, > 1; a fraction is allowed, as in tables of sample sizes.
        level: Level of the test, in (0, 1).

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range.
    """
    check_number('effect', effect, 0)
    check_number('pairs', pairs, above=1)
    check_number('level', level, above=0, below=1)
    bound = t.isf(level / 2, pairs - 1)
    shift = effect * math.sqrt(pairs)
    # the other tail of a large shift is below the smallest number, which scipy gives as NaN
    other = float(np.nan_to_num(nct.cdf(-bound, pairs - 1, shift)))
    return float(nct.sf(bound, pairs - 1, shift)) + other


def share_of_gain(
    gain: Mapping[int, float], whole: Mapping[int, float], confidence: float = CONFIDENCE
) -> Share | None:
    """Return a gain as a share of another one, with Fieller's interval.

    The interval holds each share r for which a paired t-test does not tell ``gain - r * whole``
    from zero (Fieller, 1954). It takes into account that both gains vary, and do so together.

    Args:
        gain: Gain of a method over a reference, by seed.
        whole: Gain of which it is a share, such as that of an oracle over the same reference, by
            seed.
        confidence: Share of such intervals that hold the true ratio, in (0, 1).

    Returns:
        The share over the seeds of both; None if there are fewer than two, or if the interval of
        the whole gain is not above zero. Then the interval of the share has no bounds.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If the confidence is not in (0, 1).
    """
    check_number('confidence', confidence, above=0, below=1)
    seeds = sorted(gain.keys() & whole.keys())
    if len(seeds) < 2:
        return None
    parts, wholes = np.array([(gain[seed], whole[seed]) for seed in seeds]).T
    mean, mean_whole = float(parts.mean()), float(wholes.mean())
    factor = float(t.ppf((1 + confidence) / 2, len(seeds) - 1)) ** 2 / len(seeds)
    (part_square, product), (_, whole_square) = factor * np.cov(parts, wholes)
    # the shares r with a r^2 - 2 b r + c <= 0
    a = mean_whole**2 - float(whole_square)
    b = mean * mean_whole - float(product)
    c = mean**2 - float(part_square)
    if a <= 0 or mean_whole <= 0:
        return None
    root = math.sqrt(max(b * b - a * c, 0.0))
    return Share(mean / mean_whole, (b - root) / a, (b + root) / a)
