"""The suite ``calibration``: errors of confidences, and the reliability diagram.

15 bins of equal width are those of Guo et al. (2017).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from mmengine.config import Config
from numpy.typing import NDArray

from mmtmix.checks import check_integer
from mmtmix.evaluation.calibration import (
    calibration,
    few_images_note,
    load_torchmetrics,
    reliability_bins,
)  # fmt: skip
from mmtmix.visualization import draw_reliability

from .suite import Evaluation, Found, Suite


def settings(args: Any) -> dict[str, Any]:
    """Return the settings of parsed arguments."""
    return dict(num_bins=args.num_bins)


def check(chosen: Mapping[str, Any], cfg: Config) -> None:
    """Refuse a number of bins out of its range, and a missing torchmetrics."""
    check_integer('--num-bins', chosen['num_bins'], 1)
    load_torchmetrics()


def run(evaluation: Evaluation, chosen: Mapping[str, Any]) -> Found:
    """Measure the calibration."""
    found = calibration(evaluation.predictions, chosen['num_bins'])
    bins = reliability_bins(evaluation.predictions, chosen['num_bins'])
    if evaluation.pictures is not None:
        title = f'ECE {found["ece"]:.2f} %, accuracy {found["accuracy"]:.2f} %'
        figure = draw_reliability(
            bins.edges, bins.count.astype(float), bins.confidence, bins.accuracy, title
        )
        evaluation.save(figure, 'reliability.png', 'reliability.svg')
    details = dict(
        edges=bins.edges.tolist(),
        count=bins.count.tolist(),
        confidence=_without_nan(bins.confidence),
        accuracy=_without_nan(bins.accuracy),
    )
    note = few_images_note(len(evaluation.predictions.labels), chosen['num_bins'])
    return Found(found, details, (note,) if note else ())


def _without_nan(values: NDArray[np.float64]) -> list[float | None]:
    """Return values as data for JSON, which has no NaN."""
    return [None if np.isnan(value) else float(value) for value in values]


SUITE = Suite(
    settings,
    check,
    run,
    {'accuracy': 'top-1', 'ece': 'ECE', 'nll': 'NLL', 'brier': 'Brier'},
    {'nll': 'nats', 'brier': 'squared distance, 0 to 2'},
)
