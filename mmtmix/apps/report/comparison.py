"""Runs beside each other: paired differences by seed, or on the same test images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import brentq
from scipy.stats import binomtest

from mmtmix.apps.reproduce.paired import PairedDifference, paired_difference
from mmtmix.evaluation.predictions import Predictions


class SeedResult(NamedTuple):
    """Result of a run of a setting.

    Attributes:
        seed: Its seed; None if unknown.
        accuracy: Top-1 accuracy of its last validation in percent; None if unknown.
        predictions: Predictions for its test set; None if there are none.
        name: Name of the run.
        unfinished: Its state, in words, if it is not finished; empty if it is.
        val_images: Settings of the data set that it was validated on; None if unknown.
        test_images: Settings of its test set; None if unknown.
    """

    seed: int | None
    accuracy: float | None
    predictions: Predictions | None
    name: str = ''
    unfinished: str = ''
    val_images: Mapping[str, Any] | None = None
    test_images: Mapping[str, Any] | None = None


class SameImages(NamedTuple):
    """Two single runs on the same test images.

    Attributes:
        difference: Difference of the accuracies, in points.
        low: Lower end of the interval at 95 %.
        high: Upper end of the interval.
        only_first: Number of images that the first run alone gets right.
        only_second: Number of images that the second one alone gets right.
        images: Number of images.
        p_value: McNemar's exact test, two-sided.
    """

    difference: float
    low: float
    high: float
    only_first: int
    only_second: int
    images: int
    p_value: float


@dataclass(frozen=True)
class Difference:
    """A setting compared with the first one.

    Attributes:
        name: Its name.
        reference: Name of the first one.
        by_seed: Comparison over common seeds; None without any.
        same_images: Comparison on the same images; None if it was not possible.
        faults: Sentences about what was left out or could not be compared, and why.
    """

    name: str
    reference: str
    by_seed: PairedDifference | None
    same_images: SameImages | None
    faults: tuple[str, ...]

    @property
    def has_interval(self) -> bool:
        """Whether there are two common seeds or more."""
        return self.by_seed is not None and len(self.by_seed.by_seed) > 1


def compare(
    name: str, runs: Sequence[SeedResult], reference: str, others: Sequence[SeedResult]
) -> Difference:
    """Compare the runs of a setting with those of another one.

    With two common seeds or more the pairs of seeds are compared, which covers what changes from
    seed to seed. With one pair of runs the images are compared, which does not. Only finished
    runs count. Runs that were measured on other images have no difference.

    Args:
        name: Name of the setting.
        runs: Its runs.
        reference: Name of the other setting.
        others: Runs of that one.
    """
    faults = [
        f'{run.name} is left out, since it is not finished ({run.unfinished}).'
        for run in (*runs, *others)
        if run.unfinished
    ]
    runs = [run for run in runs if not run.unfinished]
    others = [run for run in others if not run.unfinished]
    by_seed, images, fault = _differences(runs, others)
    return Difference(name, reference, by_seed, images, (*faults, *filter(None, [fault])))


def _differences(
    runs: Sequence[SeedResult], others: Sequence[SeedResult]
) -> tuple[PairedDifference | None, SameImages | None, str]:
    """Return the differences of finished runs by seed and by image, and what is wrong."""
    if not runs or not others:
        return None, None, 'So there are not two finished runs to compare.'
    by_seed = paired_difference(_by_seed(runs), _by_seed(others))
    fault = ''
    if by_seed is not None:
        pairs = [(run, other) for run in runs for other in others if run.seed == other.seed]
        faults = [_other_images(*pair, 'val_images') for pair in pairs]
        fault = next(filter(None, faults), '')
        if fault:
            by_seed = None
        elif len(by_seed.by_seed) > 1:
            return by_seed, None, ''
    single = _single_pair(runs, others)
    if single is None:
        return by_seed, None, fault or 'They have no seed in common, and more than one run each.'
    first, second = (run.predictions for run in single)
    if first is None or second is None:
        none = 'The images cannot be compared, since one of the runs has no predictions.'
        return by_seed, None, ' '.join(filter(None, [fault, none]))
    known = first.test_set == second.test_set != ''
    if not np.array_equal(first.labels, second.labels):
        return (
            None,
            None,
            'The labels of their test sets differ, so nothing is compared.',
        )
    if not known and (differs := _other_images(*single, 'test_images')):
        return None, None, differs
    if not known:
        fault += (
            f'{" " if fault else ""}The images of their test sets are the same, and are read in '
            'other ways, such as by another pipeline.'
        )
    return by_seed, same_images(first, second), fault


def _other_images(first: SeedResult, second: SeedResult, name: str) -> str:
    """Return a sentence if two runs have other images for the same purpose; empty if not."""
    kind, lost = ('validation', 'accuracies') if name == 'val_images' else ('test', 'images')
    sets = [getattr(run, name) for run in (first, second)]
    if None in sets:
        return f'Whether their {kind} sets are one is not known, so their {lost} are not compared.'
    fields = [
        key
        for key in sorted(sets[0].keys() | sets[1].keys())
        if sets[0].get(key) != sets[1].get(key)
    ]
    if fields:
        return (
            f'Their {kind} sets differ in {", ".join(fields)}, so their {lost} are not compared.'
        )
    return ''


def same_images(first: Predictions, second: Predictions) -> SameImages:
    """Compare two runs on the same images by McNemar's exact test (McNemar, 1947).

    Only images that one of them alone gets right count in the test. Under the hypothesis of equal
    accuracy each is as likely the first one's as the second one's. The interval is Tango's, of
    all images. So at p-values near 5 % it may exclude zero where the exact test does not reject.

    Args:
        first: Predictions of the first run.
        second: Predictions of the second run, for the same images in the same order.

    Raises:
        ValueError: If the labels differ.
    """
    if not np.array_equal(first.labels, second.labels):
        raise ValueError('the runs were tested on images with other labels; test both on one set')
    rights = [each.predicted == each.labels for each in (first, second)]
    only_first = int((rights[0] & ~rights[1]).sum())
    only_second = int((rights[1] & ~rights[0]).sum())
    images, either = len(first.labels), only_first + only_second
    p_value = float(binomtest(only_first, either).pvalue) if either else 1.0
    low, high = (100 * end for end in paired_interval(only_first, only_second, images))
    difference = 100 * (only_first - only_second) / images
    return SameImages(difference, low, high, only_first, only_second, images, p_value)


def paired_interval(
    only_first: int, only_second: int, images: int, level: float = 0.95
) -> tuple[float, float]:
    """Return the score interval of the difference of two shares of the same images.

    It is that of Tango (1998), "Equivalence test and confidence interval for the difference in
    proportions for the paired-sample design", Statistics in Medicine 17, 891-908. It holds all
    differences that the score test does not reject. The number of images on which the two differ
    is random in it, so no end shrinks to the estimate where there are few.

    Args:
        only_first: Number of images that the first one alone gets right.
        only_second: Number of images that the second one alone gets right.
        images: Number of all images, >= 1.
        level: Share of samples whose interval holds the true difference, 0 to 1.

    Returns:
        Lower and upper end, -1 to 1.
    """
    z = NormalDist().inv_cdf((1 + level) / 2)
    estimate = (only_first - only_second) / images

    def excess(value: float, sign: float) -> float:
        # the estimate less `value` less z of its standard errors, all times the number of images
        b = (2 * images - only_first + only_second) * value - only_first - only_second
        c = -only_second * value * (1 - value)
        second = (sqrt(max(b * b - 8 * images * c, 0.0)) - b) / (4 * images)  # most likely share
        variance = images * (2 * second + value * (1 - value))
        return images * (estimate - value) - sign * z * sqrt(max(variance, 0.0))

    beside = 1e-9  # the estimate itself is a root where its variance is 0
    low = brentq(excess, -1, estimate - beside, (1.0,)) if estimate > -1 else -1.0
    high = brentq(excess, estimate + beside, 1, (-1.0,)) if estimate < 1 else 1.0
    return float(low), float(high)


def _by_seed(runs: Sequence[SeedResult]) -> dict[int, float]:
    return {
        run.seed: run.accuracy for run in runs if run.seed is not None and run.accuracy is not None
    }


def _single_pair(
    runs: Sequence[SeedResult], others: Sequence[SeedResult]
) -> tuple[SeedResult, SeedResult] | None:
    """Return the one pair that two settings have; None if there is no one."""
    common = {run.seed for run in runs} & {run.seed for run in others} - {None}
    if len(common) == 1:
        seed = next(iter(common))
        first = next(run for run in runs if run.seed == seed)
        return first, next(run for run in others if run.seed == seed)
    if len(runs) == len(others) == 1:
        return runs[0], others[0]
    return None
