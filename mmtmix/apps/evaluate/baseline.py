"""Errors of another network under the same corruptions, which the mCE is relative to."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from mmtmix.datasets.transforms.corrupt import KINDS, SEVERITIES

ALEXNET = 'alexnet'
"""Name of the baseline of ImageNet-C: AlexNet, as Hendrycks and Dietterich (2019) measured it."""

_ALEXNET_CLEAN = 43.5
_ALEXNET = (
    *(88.6428, 89.4468, 92.2640, 81.9880, 82.6268, 78.5948, 79.8360, 86.6816),
    *(82.6572, 81.9324, 56.4592, 85.3204, 64.6056, 71.7840, 60.6500),
)


class Baseline(NamedTuple):
    """Errors of another network in percent.

    Attributes:
        by_kind: Mean error over the severities by kind.
        clean: Error on clean images.
    """

    by_kind: Mapping[str, float]
    clean: float


def read_baseline(
    name: str, kinds: Sequence[str], severities: Sequence[int], is_published: bool
) -> Baseline:
    """Return the errors of a baseline for the kinds and severities of an evaluation.

    Args:
        name: Path of the JSON file of an evaluation, or :data:`ALEXNET`.
        kinds: Kinds of corruption.
        severities: Severities.
        is_published: Whether the images are of a published set.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it lacks a kind or a severity, or is of other images.
    """
    if name == ALEXNET:
        if not is_published or list(severities) != list(SEVERITIES):
            raise ValueError(
                f'--baseline {ALEXNET} is for the published ImageNet-C at all severities: give '
                '--corrupted-set, or the JSON of another evaluation as baseline'
            )
        return Baseline(dict(zip(KINDS, _ALEXNET, strict=True)), _ALEXNET_CLEAN)
    path = Path(name)
    if not path.is_file():
        raise FileNotFoundError(
            f'--baseline {name!r} does not exist; it is what --out has written'
        )
    try:
        found = json.loads(path.read_text(encoding='utf-8'))['suites']['corruptions']
        errors, chosen = found['details']['errors'], found['settings']
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f'--baseline {name} has no suite corruptions; it must be what --out has written'
        ) from error
    if (chosen['published'] is not None) != is_published:
        raise ValueError(
            f'--baseline {name} is of {chosen["published"] or "corruptions drawn here"}, and this '
            'evaluation of other images'
        )
    lacking = [
        f'{kind} {severity}'
        for kind in kinds
        for severity in severities
        if str(severity) not in errors.get(kind, {})
    ]
    if lacking:
        raise ValueError(f'--baseline {name} lacks {", ".join(lacking[:4])}; measure them there')
    by_kind = {
        kind: statistics.fmean(errors[kind][str(severity)] for severity in severities)
        for kind in kinds
    }
    return Baseline(by_kind, found['figures']['clean_error'])


def mean_corruption_error(
    by_kind: Mapping[str, float], clean: float, baseline: Baseline
) -> dict[str, Any]:
    """Return the mCE and the relative mCE in percent (Hendrycks and Dietterich, 2019).

    Args:
        by_kind: Mean error over the severities by kind.
        clean: Error on clean images.
        baseline: Errors of the baseline.

    Raises:
        ValueError: If the baseline has no error, or none more than on clean images.
    """
    over = {kind: baseline.by_kind[kind] - baseline.clean for kind in by_kind}
    if min(baseline.by_kind[kind] for kind in by_kind) <= 0:
        raise ValueError('the baseline has kinds without any error, which nothing is relative to')
    found = dict(
        mce=100 * statistics.fmean(by_kind[kind] / baseline.by_kind[kind] for kind in by_kind)
    )
    if min(over.values()) > 0:  # otherwise it is not defined
        ratios = [(by_kind[kind] - clean) / over[kind] for kind in by_kind]
        found['relative_mce'] = 100 * statistics.fmean(ratios)
    return found
