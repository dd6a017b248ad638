"""Statistics of a table of comparisons: its false discoveries, and shares of a gain."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from scipy.stats import false_discovery_control, t, ttest_1samp

from mmtmix.checks import check_number

from .experiments import TOP1
from .paired import CONFIDENCE, PairedDifference
from .power import Power, table_power
from .results import CellResult, differences

LEAST_DEVIATION = 1e-9
"""Range of differences below which they differ by the rounding of the subtraction alone."""


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
    """Return the p-value of the two-sided paired t-test; None where there is none.

    Args:
        found: Difference of two methods. Without a deviation there is no p-value: values are
            rounded, so a few can agree by chance. So there is none with a single pair.
    """
    values = list(found.by_seed.values())
    if np.ptp(values) < LEAST_DEVIATION:
        return None
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
