"""The schedule of a momentum encoder."""

from __future__ import annotations

import math

from mmtmix.checks import check_number


def cosine_momentum(progress: float, start: float, end: float = 1.0) -> float:
    """Raise a momentum along half a cosine (BYOL, Grill et al. 2020, section 3.3).

    Args:
        progress: Share of the training that is done, in [0, 1].
        start: Momentum at 0.
        end: Momentum at 1.

    Returns:
        ``end - (end - start) (cos(pi progress) + 1) / 2``.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range.
    """
    for name, value in dict(progress=progress, start=start, end=end).items():
        check_number(name, value, 0, 1)
    return end - (end - start) * (math.cos(math.pi * progress) + 1) / 2
