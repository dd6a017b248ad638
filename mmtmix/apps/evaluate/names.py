"""Names of the suites, and the arguments of their settings, for code that runs no suite."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from mmtmix.checks import check_keys

NAMES = ('calibration', 'corruptions', 'fgsm', 'pgd', 'occlusion', 'cam')
"""Names of the suites, in the order in which they run."""

DEFAULTS: dict[str, Any] = dict(
    num_images=None,
    seed=0,
    dtype='float32',
    num_bins=15,
    kinds=None,
    severities=None,
    corrupted_set=None,
    baseline=None,
    channel_order=None,
    eps=None,
    steps=10,
    shares=None,
    orders=None,
    grid=None,
    boxes=None,
    cam_threshold=0.2,
)
"""Arguments of the command that results depend on, by name, with their defaults."""


def suite_of(metric: str) -> str | None:
    """Return the suite of a metric such as ``'calibration/ece'``; None for those of a log.

    Args:
        metric: Name of the metric.
    """
    suite, slash, _ = metric.partition('/')
    return suite if slash and suite in NAMES else None


def arguments(**given: Any) -> Namespace:
    """Return parsed arguments with defaults for those that are not given.

    Args:
        **given: Values by the names of :data:`DEFAULTS`.

    Raises:
        TypeError: If a name is unknown; the message suggests a close one.
    """
    check_keys('evaluate', given, DEFAULTS)
    return Namespace(**{**DEFAULTS, **given})
