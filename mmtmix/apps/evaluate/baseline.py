"""Errors of another network under the same corruptions, which the mCE is relative to."""

from __future__ import annotations

import json
import os
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from mmtmix.datasets.transforms.corrupt import KINDS, SEVERITIES
from mmtmix.evaluation.identity import content_digest

from .published_sets import FOLDERS

ALEXNET = 'alexnet'
"""Name of the baseline of ImageNet-C: AlexNet, as Hendrycks and Dietterich (2019) measured it."""

_ALEXNET_CLASSES = 1000
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
        source: Description of the network, for a note.
        images: Fields in which a comparable evaluation is the same, by name; empty for AlexNet.
    """

    by_kind: Mapping[str, float]
    clean: float
    source: str
    images: Mapping[str, Any]


def read_baseline(
    name: str, kinds: Sequence[str], severities: Sequence[int], published: Any
) -> Baseline:
    """Return the errors of a baseline for the kinds and severities of an evaluation.

    Args:
        name: Path of the JSON file of an evaluation, or :data:`ALEXNET`.
        kinds: Kinds of corruption.
        severities: Severities.
        published: Description of the published set, see
            :func:`~mmtmix.apps.evaluate.published_sets.describe_published`; None for corruptions
            that are drawn here.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it lacks a kind or a severity, or is of other corruptions.
    """
    if name == ALEXNET:
        return _alexnet(severities, published)
    found = _read(name)
    errors = found['errors']
    if found['published'] != published:
        raise ValueError(
            f'--baseline {name} is of {_corruptions(found["published"])}, and this evaluation of '
            f'{_corruptions(published)}; give one of the same corruptions'
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
    return Baseline(by_kind, found['clean'], found['source'], found['images'])


def baseline_digest(name: str | None) -> str | None:
    """Return the digest of a baseline's errors; None for AlexNet and where there is no baseline.

    Args:
        name: Path of the JSON file of an evaluation, :data:`ALEXNET`, or None.
    """
    if name is None or name == ALEXNET:
        return None
    try:
        return content_digest(_read(name))
    except (OSError, ValueError):
        return None  # `read_baseline` names the fault


def check_same_images(name: str, baseline: Baseline, images: Mapping[str, Any]) -> None:
    """Refuse a baseline of other images.

    Args:
        name: Path of the baseline's file.
        baseline: The baseline.
        images: Fields of this evaluation, as in :attr:`Baseline.images`.

    Raises:
        ValueError: If a field differs.
    """
    differing = [
        f'{field} {value!r} and not {images[field]!r}'
        for field, value in baseline.images.items()
        if field in images and value != images[field]
    ]
    if differing:
        raise ValueError(
            f'--baseline {name} is of other images: {", ".join(differing)}; evaluate both '
            'networks with the same test set, --num-images and --seed'
        )


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


def _alexnet(severities: Sequence[int], published: Any) -> Baseline:
    is_imagenet = published is not None and published['form'] == FOLDERS
    if not is_imagenet or list(severities) != list(SEVERITIES):
        raise ValueError(
            f'--baseline {ALEXNET} is for the published ImageNet-C at all severities: give '
            '--corrupted-set with folders KIND/SEVERITY/CLASS/IMAGE, or the JSON of another '
            'evaluation as baseline'
        )
    if published['classes'] != _ALEXNET_CLASSES:
        raise ValueError(
            f'--baseline {ALEXNET} is for the {_ALEXNET_CLASSES} classes of ImageNet-C, and '
            f'--corrupted-set has {published["classes"]}; give the JSON of another evaluation'
        )
    source = 'AlexNet on all 50,000 images, as Hendrycks and Dietterich (2019) publish it'
    return Baseline(dict(zip(KINDS, _ALEXNET, strict=True)), _ALEXNET_CLEAN, source, {})


def _read(name: str | os.PathLike) -> dict[str, Any]:
    """Return what matters of the JSON of an evaluation."""
    path = Path(name)
    if not path.is_file():
        raise FileNotFoundError(
            f'--baseline {str(name)!r} does not exist; it is what --out has written'
        )
    try:
        content = json.loads(path.read_text(encoding='utf-8'))
        found = content['suites']['corruptions']
        fields = ('num_images', 'seed', 'images', 'image_list')
        return dict(
            errors=found['details']['errors'],
            clean=found['figures']['clean_error'],
            published=found['settings']['published'],
            source=f'{content["checkpoint"]} (SHA-256 {content["checkpoint_sha256"][:12]})',
            images={field: content[field] for field in fields},
        )
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f'--baseline {name} has no suite corruptions; it must be what --out has written'
        ) from error


def _corruptions(published: Any) -> str:
    if published is None:
        return 'corruptions drawn here'
    return 'a published set, ' + ' '.join(f'{name} {value}' for name, value in published.items())
