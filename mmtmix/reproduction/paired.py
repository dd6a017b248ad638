"""Whether two methods differ, told from runs of the same seeds."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scipy import stats

CONFIDENCE = 0.95


@dataclass(frozen=True)
class PairedDifference:
    """The mean of differences within pairs, and what it may be by chance.

    Attributes:
        mean: Of ``a - b``, in the unit of the values.
        low: Lower end of its confidence interval; None with a single pair, which has none.
        high: Upper end, or None.
        count: Pairs.
    """

    mean: float
    low: float | None
    high: float | None
    count: int

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
        ValueError: If the confidence is not in (0, 1).
    """
    differences = [a[seed] - b[seed] for seed in sorted(a.keys() & b.keys())]
    margin = margin_of_mean(differences, confidence)
    if not differences:
        return None
    mean = statistics.fmean(differences)
    if margin is None:
        return PairedDifference(mean, None, None, len(differences))
    return PairedDifference(mean, mean - margin, mean + margin, len(differences))


def margin_of_mean(values: Sequence[float], confidence: float = CONFIDENCE) -> float | None:
    """Half the width of Student's confidence interval of a mean; None below two values.

    Raises:
        ValueError: If the confidence is not in (0, 1).
    """
    if not 0 < confidence < 1:
        raise ValueError(f'confidence must be in (0, 1), got {confidence!r}')
    if len(values) < 2:
        return None
    quantile = float(stats.t.ppf((1 + confidence) / 2, len(values) - 1))
    return quantile * statistics.stdev(values) / math.sqrt(len(values))
