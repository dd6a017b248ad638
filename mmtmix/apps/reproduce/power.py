"""The difference that a paired t-test, or a table of them, detects."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq
from scipy.stats import nct, t

from mmtmix.checks import check_integer, check_number

from .paired import PairedDifference

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
