"""Comparison of two methods by runs with the same seeds."""

from __future__ import annotations

import statistics
import warnings
from collections.abc import Mapping
from dataclasses import dataclass

from scipy.stats import ttest_rel

from mmtmix.checks import check_number

CONFIDENCE = 0.95


@dataclass(frozen=True)
class PairedDifference:
    """The mean difference of pairs and its confidence interval.

    Attributes:
        mean: Mean of ``a - b``, in the unit of the values.
        low: Lower end of the confidence interval; None with a single pair.
        high: Upper end of the confidence interval; None with a single pair.
        by_seed: Difference ``a - b`` of each pair, by seed.
    """

    mean: float
    low: float | None
    high: float | None
    by_seed: Mapping[int, float]

    @property
    def excludes_zero(self) -> bool:
        """Return whether the whole interval is on one side of zero."""
        if self.low is None or self.high is None:
            return False
        return self.low > 0 or self.high < 0


def paired_difference(
    a: Mapping[int, float], b: Mapping[int, float], confidence: float = CONFIDENCE
) -> PairedDifference | None:
    """Compare two methods over the seeds that both have.

    The interval is Student's, with one degree of freedom less than pairs. It holds for a single
    comparison: among twenty at 95 %, one is expected to exclude zero by chance.

    Args:
        a: Values of the first method, by seed.
        b: Values of the other method, by seed.
        confidence: Share of such intervals that hold the true difference, in (0, 1).

    Returns:
        The difference ``a - b``; None without common seeds.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If the confidence is not in (0, 1).
    """
    check_number('confidence', confidence, above=0, below=1)
    by_seed = {seed: a[seed] - b[seed] for seed in sorted(a.keys() & b.keys())}
    values = list(by_seed.values())
    if not values:
        return None
    mean = statistics.fmean(values)
    if len(values) == 1:
        return PairedDifference(mean, None, None, by_seed)
    with warnings.catch_warnings():
        # scipy warns about equal differences, such as those of runs with the same weights
        warnings.filterwarnings('ignore', 'Precision loss', RuntimeWarning)
        test = ttest_rel([a[seed] for seed in by_seed], [b[seed] for seed in by_seed])
        interval = test.confidence_interval(confidence)
    return PairedDifference(mean, float(interval.low), float(interval.high), by_seed)
