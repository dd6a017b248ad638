"""How well the confidences of a classifier match its accuracy.

torchmetrics computes what it offers: errors over bins of equal width. The rest is here: bins of
equal count, errors per class, the Brier score, and the bins of a reliability diagram.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from mmtmix.checks import check_integer

from .predictions import Predictions

NUM_BINS = 15
"""Bins of Guo et al. (2017), whose ECE is the one that papers report."""

FEW_IMAGES = 100
"""Number of images below which an expected calibration error is mostly chance."""

_PART = 2**20  # scores that are in float64 at a time


@dataclass(frozen=True)
class ReliabilityBins:
    """Bins of equal width over the confidence of the predicted class.

    Attributes:
        edges: Borders of the bins, float64 (num_bins + 1,), 0 to 1.
        count: Number of images in each bin, int64 (num_bins,).
        confidence: Mean confidence in each bin, float64 (num_bins,); NaN where it is empty.
        accuracy: Share of right predictions in each bin, float64 (num_bins,); NaN where it is
            empty.
    """

    edges: NDArray[np.float64]
    count: NDArray[np.int64]
    confidence: NDArray[np.float64]
    accuracy: NDArray[np.float64]


def few_images_note(images: int, num_bins: int = NUM_BINS) -> str:
    """Return a sentence about a calibration error of few images; empty if they are enough.

    Its bins then hold a few images each. Their accuracy differs from their confidence by chance,
    which raises the error even of a calibrated classifier.

    Args:
        images: Number of images.
        num_bins: Number of bins.
    """
    if images >= FEW_IMAGES:
        return ''
    return (
        f'The ECE of {images} test images in {num_bins} bins is mostly chance, which raises it; '
        f'use at least {FEW_IMAGES} images'
    )


def calibration(predictions: Predictions, num_bins: int = NUM_BINS) -> dict[str, float]:
    """Return measures of calibration.

    Top-label errors are over the confidence of the predicted class:

    - ``ece``: expected calibration error, over bins of equal width (Guo et al., 2017, eq. 3);
    - ``rms``: root of the mean squared error over the same bins (Hendrycks et al., 2019);
    - ``max``: largest error of a bin (``MCE`` of Guo et al., eq. 5);
    - ``adaptive``: as ``ece``, over bins with equally many images (Nguyen and O'Connor, 2015).

    ``classwise`` is the mean over classes of the error of that class's own scores, in bins of
    equal width (Kull et al., 2019, eq. 4). ``nll`` is the negative log likelihood in nats and
    ``brier`` the squared distance to the one-hot label, 0 to 2 (Brier, 1950). ``overconfidence``
    is mean confidence less accuracy.

    Args:
        predictions: Predictions for a test set.
        num_bins: Number of bins, >= 1.

    Returns:
        Measures by name. The errors, ``overconfidence``, ``confidence`` and ``accuracy`` are in
        percent.

    Raises:
        ImportError: If torchmetrics is missing, with the command that installs it.
        ValueError: If the number of bins is out of its range.
    """
    check_integer('num_bins', num_bins, 1)
    scores, labels = predictions.scores, predictions.labels
    confidence = _confidence(scores)
    right = (predictions.predicted == labels).astype(np.float64)
    of_label = scores[np.arange(len(labels)), labels].astype(np.float64).clip(0, 1)
    tiny = np.finfo(np.float32).tiny  # a score of 0 in float32 is none of exactly 0
    errors = dict(
        ece=_torchmetrics_error(predictions, num_bins, 'l1'),
        rms=_torchmetrics_error(predictions, num_bins, 'l2'),
        max=_torchmetrics_error(predictions, num_bins, 'max'),
        adaptive=adaptive_error(confidence, right, num_bins),
        classwise=classwise_error(scores, labels, num_bins),
        overconfidence=float(confidence.mean() - right.mean()),
        confidence=float(confidence.mean()),
        accuracy=float(right.mean()),
    )
    found = {name: 100 * value for name, value in errors.items()}
    found['nll'] = float(-np.log(of_label.clip(tiny)).mean())
    # the squared distance to the one-hot label, without a one-hot array
    squares = np.concatenate([(part**2).sum(axis=1) for part in _parts(scores)])
    found['brier'] = float((squares - of_label**2 + (1 - of_label) ** 2).mean())
    return found


def adaptive_error(
    confidence: NDArray[np.float64], right: NDArray[np.float64], num_bins: int = NUM_BINS
) -> float:
    """Return the calibration error over bins with equally many images, but for one more in some.

    Args:
        confidence: Confidence of the predicted class of each image, (N,).
        right: Whether it is right, 0 or 1, (N,).
        num_bins: Number of bins, >= 1; as many as images if these are fewer.

    Returns:
        Error, 0 to 1.
    """
    order = np.argsort(confidence, kind='stable')
    gap = (confidence - right)[order]
    parts = np.array_split(gap, min(num_bins, len(gap)))
    return float(sum(abs(part.sum()) for part in parts) / len(gap))


def classwise_error(
    scores: NDArray[np.floating], labels: NDArray[np.int64], num_bins: int = NUM_BINS
) -> float:
    """Return the mean over classes of the calibration error of that class's own score.

    Args:
        scores: Probabilities, (N, C).
        labels: True classes, (N,).
        num_bins: Number of bins of equal width, >= 1.

    Returns:
        Error, 0 to 1.
    """
    images, classes = scores.shape
    cells = num_bins * classes
    of_label = scores[np.arange(images), labels].astype(np.float64).clip(0, 1)
    own = _bin_of(of_label, num_bins) + num_bins * labels
    gap = -np.bincount(own, minlength=cells).astype(np.float64)
    for part in _parts(scores):
        bins = _bin_of(part, num_bins) + num_bins * np.arange(classes)
        gap += np.bincount(bins.ravel(), part.ravel(), minlength=cells)
    return float(np.abs(gap).sum() / (images * classes))


def reliability_bins(predictions: Predictions, num_bins: int = NUM_BINS) -> ReliabilityBins:
    """Return the bins of a reliability diagram, of equal width.

    Args:
        predictions: Predictions for a test set.
        num_bins: Number of bins, >= 1.

    Raises:
        ValueError: If the number of bins is out of its range.
    """
    check_integer('num_bins', num_bins, 1)
    confidence = _confidence(predictions.scores)
    right = predictions.predicted == predictions.labels
    bins = _bin_of(confidence, num_bins)
    count = np.bincount(bins, minlength=num_bins)
    sums = [np.bincount(bins, values, minlength=num_bins) for values in (confidence, right)]
    with np.errstate(invalid='ignore'):
        means = [total / np.where(count, count, np.nan) for total in sums]
    return ReliabilityBins(np.linspace(0, 1, num_bins + 1), count, *means)


def _confidence(scores: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the highest score of each image, (N,)."""
    # rows of float32 softmax may sum to 1 + 1e-7, which would be a confidence above 1
    return scores.max(axis=1).astype(np.float64).clip(0, 1)


def _parts(scores: NDArray[np.floating]) -> Iterator[NDArray[np.float64]]:
    """Yield the scores of some images at a time, in float64, which takes little memory."""
    rows = max(1, _PART // scores.shape[1])
    for start in range(0, len(scores), rows):
        yield scores[start : start + rows].astype(np.float64).clip(0, 1)


def _bin_of(values: NDArray[np.float64], num_bins: int) -> NDArray[np.int64]:
    """Return the bin of each value in [0, 1]; a value on a border lies in the upper bin."""
    # the borders of torchmetrics, which are in float32
    edges = torch.linspace(0, 1, num_bins + 1).numpy()
    found = np.digitize(values.astype(np.float32), edges) - 1
    return found.clip(0, num_bins - 1)


def _torchmetrics_error(predictions: Predictions, num_bins: int, norm: Any) -> float:
    metric = load_torchmetrics().multiclass_calibration_error
    scores = predictions.scores
    # one column alone is no problem of several classes, and its confidence is always 1
    if scores.shape[1] < 2:
        raise ValueError(f'calibration needs two or more classes, got {scores.shape[1]}')
    # it gives a confidence of exactly 1, which float32 rounds to, a bin beyond the last one
    below_one = np.nextafter(np.float32(1), np.float32(0))
    given = torch.from_numpy(scores.clip(0, below_one)), torch.from_numpy(predictions.labels)
    return float(metric(*given, num_classes=scores.shape[1], n_bins=num_bins, norm=norm))


def load_torchmetrics() -> Any:
    """Return torchmetrics' functions for classification.

    Raises:
        ImportError: If it is missing, with the command that installs it.
    """
    try:
        from torchmetrics.functional import classification
    except ImportError as error:
        raise ImportError(
            f"calibration needs torchmetrics ({error}): pip install 'mmtmix[evaluate]'"
        ) from error
    return classification
