"""Whether two methods differ, told from runs of the same seeds."""

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
    """The mean of differences within pairs, and what it may be by chance.

    Attributes:
        mean: Of ``a - b``, in the unit of the values.
        low: Lower end of its confidence interval; None with a single pair, which has none.
        high: Upper end, or None.
        by_seed: ``a - b`` of each pair.
    """

    mean: float
    low: float | None
    high: float | None
    by_seed: Mapping[int, float]

    @property
    def excludes_zero(self) -> bool:
        """Whether the whole interval is on one side of zero, that of the mean."""
        if self.low is None or self.high is None:
            return False
        return self.low > 0 or self.high < 0


def paired_difference(
    a: Mapping[int, float], b: Mapping[int, float], confidence: float = CONFIDENCE
) -> PairedDifference | None:
    """Compare two methods over the seeds that both have.

    The interval is Student's, with one degree of freedom less than there are pairs. It is that of
    one comparison: among twenty at 95 %, one is expected to exclude zero by chance.

    Args:
        a: A value by seed.
        b: The same of what ``a`` is compared with.
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
        # of differences that are all alike, such as those of two runs with the same weights
        warnings.filterwarnings('ignore', 'Precision loss', RuntimeWarning)
        test = ttest_rel([a[seed] for seed in by_seed], [b[seed] for seed in by_seed])
        interval = test.confidence_interval(confidence)
    return PairedDifference(mean, float(interval.low), float(interval.high), by_seed)
