"""Runs beside each other: paired differences by seed, or on the same test images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.stats import binomtest

from mmtmix.apps.reproduce.paired import PairedDifference, paired_difference
from mmtmix.evaluation.predictions import Predictions


class SeedResult(NamedTuple):
    """Result of a run of a setting.

    Attributes:
        seed: Its seed; None if unknown.
        accuracy: Top-1 accuracy of its last validation in percent; None if unknown.
        predictions: Predictions for its test set; None if there are none.
    """

    seed: int | None
    accuracy: float | None
    predictions: Predictions | None


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
        fault: Sentence about what could not be compared, and why.
    """

    name: str
    reference: str
    by_seed: PairedDifference | None
    same_images: SameImages | None
    fault: str

    @property
    def has_interval(self) -> bool:
        """Whether there are two common seeds or more."""
        return self.by_seed is not None and len(self.by_seed.by_seed) > 1


def compare(
    name: str, runs: Sequence[SeedResult], reference: str, others: Sequence[SeedResult]
) -> Difference:
    """Compare the runs of a setting with those of another one.

    With two common seeds or more the pairs of seeds are compared, which covers what changes from
    seed to seed. With one pair of runs the images are compared, which does not.

    Args:
        name: Name of the setting.
        runs: Its runs.
        reference: Name of the other setting.
        others: Runs of that one.
    """
    by_seed = paired_difference(_by_seed(runs), _by_seed(others))
    found = Difference(name, reference, by_seed, None, '')
    if found.has_interval:
        return found
    pair = _single_pair(runs, others)
    if pair is None:
        fault = 'They have no seed in common, and more than one run each.'
        return Difference(name, reference, by_seed, None, fault)
    first, second = pair
    if first is None or second is None:
        fault = 'The images cannot be compared, since one of the runs has no predictions.'
        return Difference(name, reference, by_seed, None, fault)
    if not np.array_equal(first.labels, second.labels):
        fault = 'The images cannot be compared, since the test sets differ.'
        return Difference(name, reference, by_seed, None, fault)
    fault = ''
    if first.test_set != second.test_set:
        fault = (
            'Their test sets have the same labels in the same order, and other settings, such as '
            'another pipeline or folder. Make sure that the images are the same.'
        )
    return Difference(name, reference, by_seed, same_images(first, second), fault)


def same_images(first: Predictions, second: Predictions) -> SameImages:
    """Compare two runs on the same images by McNemar's exact test (McNemar, 1947).

    Only images that one of them alone gets right count. Under the hypothesis of equal accuracy
    each is as likely the first one's as the second one's. The interval is that of Clopper and
    Pearson for this share, so it excludes zero exactly if the test rejects at 5 %.

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
    if either == 0:
        return SameImages(0.0, 0.0, 0.0, 0, 0, images, 1.0)
    test = binomtest(only_first, either)
    interval = test.proportion_ci(0.95, method='exact')
    low, high = (100 * (2 * float(end) - 1) * either / images for end in interval)
    difference = 100 * (only_first - only_second) / images
    return SameImages(difference, low, high, only_first, only_second, images, float(test.pvalue))


def _by_seed(runs: Sequence[SeedResult]) -> dict[int, float]:
    return {
        run.seed: run.accuracy for run in runs if run.seed is not None and run.accuracy is not None
    }


def _single_pair(
    runs: Sequence[SeedResult], others: Sequence[SeedResult]
) -> tuple[Predictions | None, Predictions | None] | None:
    """Return the predictions of the one pair that two settings have; None if there is no one."""
    common = {run.seed for run in runs} & {run.seed for run in others} - {None}
    if len(common) == 1:
        seed = next(iter(common))
        first = next(run for run in runs if run.seed == seed)
        return first.predictions, next(run for run in others if run.seed == seed).predictions
    if len(runs) == len(others) == 1:
        return runs[0].predictions, others[0].predictions
    return None
