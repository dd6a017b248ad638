"""Accuracy per class, confusion and calibration of a run's predictions, ready for a page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from mmtmix.evaluation.calibration import (
    ReliabilityBins,
    calibration,
    few_images_note,
    reliability_bins,
)  # fmt: skip
from mmtmix.evaluation.predictions import Predictions

WHOLE_MATRIX = 12
"""Most classes of which the whole confusion matrix is shown."""

MOST_ROWS = 20
"""Most rows of a table of classes, or of pairs of classes."""

_HISTOGRAM_BINS = 10


class Share(NamedTuple):
    """A share in percent, with Wilson's interval at 95 % for that of all images of its kind.

    Attributes:
        value: The share.
        low: Lower end.
        high: Upper end.
    """

    value: float
    low: float
    high: float


class ClassRow(NamedTuple):
    """A class and how many of its images are right.

    Attributes:
        label: Its label.
        name: Its name.
        images: Number of its images in the test set.
        share: Share of right ones; None without images.
    """

    label: int
    name: str
    images: int
    share: Share | None


class Pair(NamedTuple):
    """Two classes that are confused.

    Attributes:
        true: Name of the true class.
        predicted: Name of the class that is predicted instead.
        images: Number of images.
        share: Their share of the images of the true class, in percent.
    """

    true: str
    predicted: str
    images: int
    share: float


class Bin(NamedTuple):
    """A bin of a histogram or of a reliability diagram.

    Attributes:
        low: Lower border.
        high: Upper border.
        number: Number of classes, or of images, in it.
        confidence: Mean confidence, 0 to 1; None outside reliability diagrams or if it is empty.
        accuracy: Share of right predictions, 0 to 1; None as above.
    """

    low: float
    high: float
    number: int
    confidence: float | None = None
    accuracy: float | None = None


@dataclass(frozen=True)
class ClassReport:
    """What the predictions for a test set show.

    Attributes:
        images: Number of images.
        classes: Number of classes.
        accuracy: Top-1 accuracy.
        rows: Classes: all in the order of their labels, or the worst of many.
        matrix: Numbers of images by true and predicted class; None for many classes.
        names: Names of the classes by label.
        pairs: Most confused pairs of classes.
        histogram: Numbers of classes by accuracy; empty for few classes.
        measures: Measures of :func:`mmtmix.evaluation.calibration`; empty if they are unknown.
        reliability: Bins of the reliability diagram; empty as above.
        fault: Sentence about why the calibration is unknown.
        calibration_note: Sentence about why its error is mostly chance; empty if there are images
            enough.
    """

    images: int
    classes: int
    accuracy: Share
    rows: list[ClassRow]
    matrix: list[list[int]] | None
    names: tuple[str, ...]
    pairs: list[Pair]
    histogram: list[Bin]
    measures: dict[str, float]
    reliability: list[Bin]
    fault: str = ''
    calibration_note: str = ''

    @property
    def is_part(self) -> bool:
        """Whether the rows are only some of the classes."""
        return len(self.rows) < self.classes


def class_report(predictions: Predictions) -> ClassReport:
    """Return what predictions show.

    Args:
        predictions: Predictions for a test set.
    """
    classes = predictions.scores.shape[1]
    names = predictions.classes or tuple(f'class {label}' for label in range(classes))
    labels, predicted = predictions.labels, predictions.predicted
    images = np.bincount(labels, minlength=classes)
    right = np.bincount(labels[labels == predicted], minlength=classes)
    rows = [
        ClassRow(
            label,
            names[label],
            int(images[label]),
            share_of(int(right[label]), int(images[label])) if images[label] else None,
        )
        for label in _shown_classes(right, images)
    ]
    measures, bins, fault = _calibration(predictions)
    return ClassReport(
        images=len(labels),
        classes=classes,
        accuracy=share_of(int(right.sum()), len(labels)),
        rows=rows,
        matrix=_matrix(labels, predicted, classes) if classes <= WHOLE_MATRIX else None,
        names=names,
        pairs=_pairs(labels, predicted, images, names),
        histogram=_histogram(right, images) if classes > MOST_ROWS else [],
        measures=measures,
        reliability=bins,
        fault=fault,
        calibration_note=few_images_note(len(labels)) if measures else '',
    )


def share_of(right: int, images: int) -> Share:
    """Return a share in percent with Wilson's interval at 95 %.

    The interval is for the share of all images of this kind, of which those counted are a sample.

    Args:
        right: Number of images that count.
        images: Number of all images, >= 1.
    """
    interval = binomtest(right, images).proportion_ci(0.95, method='wilson')
    return Share(100 * right / images, 100 * float(interval.low), 100 * float(interval.high))


def _shown_classes(right: NDArray, images: NDArray) -> list[int]:
    """Return the labels of all classes, or of the worst of many that have images."""
    if len(images) <= MOST_ROWS:
        return list(range(len(images)))
    accuracy = np.where(images, right / np.maximum(images, 1), np.inf)
    return np.argsort(accuracy, kind='stable')[:MOST_ROWS].tolist()


def _matrix(labels: NDArray, predicted: NDArray, classes: int) -> list[list[int]]:
    counts = np.bincount(labels * classes + predicted, minlength=classes * classes)
    return counts.reshape(classes, classes).tolist()


def _pairs(
    labels: NDArray, predicted: NDArray, images: NDArray, names: tuple[str, ...]
) -> list[Pair]:
    """Return the most confused pairs, by the number of images."""
    # only pairs that occur: a matrix of 20,000 classes would take gigabytes
    is_wrong = labels != predicted
    codes, counts = np.unique(
        labels[is_wrong] * len(names) + predicted[is_wrong], return_counts=True
    )
    found = []
    for number in np.argsort(-counts, kind='stable')[:MOST_ROWS].tolist():
        true, other = divmod(int(codes[number]), len(names))
        count = int(counts[number])
        found.append(Pair(names[true], names[other], count, 100 * count / int(images[true])))
    return found


def _histogram(right: NDArray, images: NDArray) -> list[Bin]:
    accuracy = 100 * right[images > 0] / images[images > 0]
    counts, edges = np.histogram(accuracy, _HISTOGRAM_BINS, (0, 100))
    return [
        Bin(float(low), float(high), int(count))
        for low, high, count in zip(edges[:-1], edges[1:], counts, strict=True)
    ]


def _calibration(predictions: Predictions) -> tuple[dict[str, float], list[Bin], str]:
    try:
        measures = calibration(predictions)
    except (ImportError, ValueError) as error:  # torchmetrics is optional
        return {}, [], f'The calibration is not known: {error}.'
    return measures, _bins(reliability_bins(predictions)), ''


def _bins(bins: ReliabilityBins) -> list[Bin]:
    found = []
    for number, count in enumerate(bins.count.tolist()):
        low, high = float(bins.edges[number]), float(bins.edges[number + 1])
        if not count:
            found.append(Bin(low, high, 0))
            continue
        means = float(bins.confidence[number]), float(bins.accuracy[number])
        found.append(Bin(low, high, count, *means))
    return found
