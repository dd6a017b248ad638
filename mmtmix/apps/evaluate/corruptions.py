"""The suite ``corruptions``: errors on 15 kinds of corruption at five severities each.

The kinds, the mean over severities and the mCE follow Hendrycks and Dietterich (2019). AugMix,
PuzzleMix and OpenMixup report the mean error on CIFAR-C and the mCE on ImageNet-C.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

import numpy as np
from mmengine.config import Config
from torch.utils.data import DataLoader

from mmtmix.checks import check_choice, check_numbers
from mmtmix.datasets.transforms.corrupt import (
    GROUPS,
    KINDS,
    SEVERITIES,
    Corrupt,
    compile_corruptions,
    corrupter,
)
from mmtmix.evaluation.predictions import predict_loader
from mmtmix.models.teachers.loaded_order import dataset_order
from mmtmix.visualization import draw_bars, draw_pictures

from .baseline import (
    ALEXNET,
    Baseline,
    baseline_digest,
    check_same_images,
    mean_corruption_error,
    read_baseline,
)
from .published_sets import (
    build_published_loader,
    check_published,
    compare_classes,
    describe_published,
)
from .suite import Evaluation, Found, Suite, shown_on_stderr

NOT_COMPARABLE = (
    'Drawn here by imagecorruptions with the strengths of ImageNet-C for 224 pixels: compare '
    'these errors with each other, not with published ones on CIFAR-C or ImageNet-C'
)
_GREY_OR = (
    'the channel order of the test images is unknown ({reason}), and some corruptions depend on '
    'it: give --channel-order rgb or bgr'
)


def settings(args: Any) -> dict[str, Any]:
    """Return the settings of parsed arguments."""
    published = args.corrupted_set
    kinds, severities = list(args.kinds or KINDS), list(args.severities or SEVERITIES)
    return dict(
        kinds=kinds,
        severities=severities,
        published=describe_published(published, kinds, severities),
        folder=published,
        channel_order=args.channel_order,
        baseline=ALEXNET if args.baseline == ALEXNET else baseline_digest(args.baseline),
        baseline_file=args.baseline,
    )


def check(chosen: Mapping[str, Any], cfg: Config) -> None:
    """Refuse unknown kinds, a missing library or set, and a baseline of other images."""
    for kind in chosen['kinds']:
        check_choice('--kinds', kind, KINDS)
    check_numbers('--severities', chosen['severities'], least=1, most=5, whole=True)
    if chosen['folder'] is None:
        corrupter()
    else:
        check_published(chosen['folder'], chosen['kinds'], chosen['severities'])
    if chosen['baseline_file'] is not None:
        _baseline(chosen)


def run(evaluation: Evaluation, chosen: Mapping[str, Any]) -> Found:
    """Measure the error of each kind and severity."""
    baseline = None
    if chosen['baseline_file'] is not None:
        baseline = _baseline(chosen)
        check_same_images(chosen['baseline_file'], baseline, _images_of(evaluation, chosen))
    clean = evaluation.predictions
    seconds = 0.0
    order = ''
    if chosen['folder'] is None:
        order = _channel_order(evaluation, chosen)
        # once here, so that no pass over the images is charged with it
        seconds = compile_corruptions() if 'glass_blur' in chosen['kinds'] else 0.0
    images = _CorruptedImages(evaluation, chosen, order)
    notes = _notes(chosen, baseline, evaluation.num_images)
    if chosen['folder'] is not None:
        first = images(chosen['kinds'][0], chosen['severities'][0]).dataset
        notes += compare_classes(evaluation, first, chosen['folder'])
    errors: dict[str, dict[str, float]] = evaluation.partial.get('errors', {})
    todo = [
        (kind, severity)
        for kind, severity in product(chosen['kinds'], chosen['severities'])
        if str(severity) not in errors.get(kind, {})
    ]
    for kind, severity in shown_on_stderr(todo, 'corruptions'):
        found = predict_loader(evaluation.classifier, images(kind, severity))
        if not np.array_equal(found.labels, clean.labels) and chosen['folder'] is None:
            raise ValueError(f'{kind} changed the labels; the test pipeline must keep them')
        errors.setdefault(kind, {})[str(severity)] = found.error
        evaluation.keep('corruptions', dict(errors=errors))
    by_kind = {kind: statistics.fmean(errors[kind].values()) for kind in chosen['kinds']}
    if evaluation.pictures is not None:
        _draw(evaluation, chosen, images, by_kind)
    figures = _figures(by_kind, clean.error)
    if baseline is not None:
        figures |= mean_corruption_error(by_kind, clean.error, baseline)
    details = dict(errors=errors, compile_seconds=round(seconds, 2))
    return Found(figures, details, notes)


def _baseline(chosen: Mapping[str, Any]) -> Baseline:
    given = chosen['kinds'], chosen['severities'], chosen['published']
    return read_baseline(chosen['baseline_file'], *given)


def _images_of(evaluation: Evaluation, chosen: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields in which a comparable baseline is the same."""
    found: dict[str, Any] = dict(
        num_images=evaluation.num_images, seed=evaluation.seed, images=evaluation.count
    )
    if chosen['folder'] is None:  # published images don't come from the test set
        found['image_list'] = evaluation.image_list
    return found


def _figures(by_kind: Mapping[str, float], clean: float) -> dict[str, float]:
    figures = dict(mean_error=statistics.fmean(by_kind.values()), clean_error=clean)
    figures['relative_error'] = figures['mean_error'] - clean
    for group, kinds in GROUPS.items():
        if all(kind in by_kind for kind in kinds):
            figures[group] = statistics.fmean(by_kind[kind] for kind in kinds)
    return figures | dict(by_kind)


def _notes(
    chosen: Mapping[str, Any], baseline: Baseline | None, num_images: int | None
) -> tuple[str, ...]:
    notes = [] if chosen['folder'] else [NOT_COMPARABLE]
    if list(chosen['kinds']) != list(KINDS) or list(chosen['severities']) != list(SEVERITIES):
        notes.append('The mean is over a part of the kinds or severities')
    if baseline is not None:
        notes.append(f'The mCE is relative to {baseline.source}')
        if chosen['baseline'] == ALEXNET and num_images is not None:
            notes.append(f'This network has only {num_images} of these images')
    return tuple(notes)


def _channel_order(evaluation: Evaluation, chosen: Mapping[str, Any]) -> str:
    if chosen['channel_order'] is not None:
        return chosen['channel_order']
    order = dataset_order(evaluation.cfg.test_dataloader.dataset)
    if order.name is None:
        batch = next(iter(evaluation.loader))
        inputs, _ = evaluation.classifier.prepare(batch)
        if inputs.size(1) == 3:
            raise ValueError(_GREY_OR.format(reason=order.reason))
    return order.name or 'rgb'


class _CorruptedImages:
    """Loaders of corrupted images, one per kind and severity.

    Args:
        evaluation: The evaluation.
        chosen: Settings of the suite.
        order: Order of the channels where corruptions are drawn.
    """

    def __init__(self, evaluation: Evaluation, chosen: Mapping[str, Any], order: str):
        self.evaluation, self.folder = evaluation, chosen['folder']
        self.channel_order = chosen['channel_order']
        self._drawn: DataLoader | None = None
        if self.folder is None:
            # the data set is read once, and its transform is set for each pass
            first = dict(kind=chosen['kinds'][0], severity=1, channel_order=order)
            extra = dict(type='Corrupt', seed=evaluation.seed, **first)
            self._drawn = evaluation.build_loader(extra)

    def __call__(self, kind: str, severity: int) -> DataLoader:
        """Return the loader of a kind and severity; it is valid until the next call."""
        if self._drawn is None:
            return build_published_loader(
                self.evaluation, self.folder, kind, severity, self.channel_order
            )
        for transform in _corrupts(self._drawn.dataset):
            transform.kind, transform.severity = kind, severity
        return self._drawn


def _corrupts(dataset: Any) -> Iterator[Corrupt]:
    """Yield the transforms of a data set, and of those that it wraps, that corrupt."""
    for step in getattr(getattr(dataset, 'pipeline', None), 'transforms', ()):
        if isinstance(step, Corrupt):
            yield step
    for inner in (getattr(dataset, 'dataset', None), *getattr(dataset, 'datasets', ())):
        if inner is not None:
            yield from _corrupts(inner)


def _draw(
    evaluation: Evaluation,
    chosen: Mapping[str, Any],
    images: _CorruptedImages,
    by_kind: Mapping[str, float],
) -> None:
    clean = evaluation.predictions.error
    bars = draw_bars(by_kind, clean, 'error on clean images', 'mean error in % over severities')
    evaluation.save(bars, 'corruption_errors.png', 'corruption_errors.svg')
    rows = []
    for kind in chosen['kinds']:
        row = [_first_picture(evaluation, evaluation.loader)]
        for severity in chosen['severities']:
            row.append(_first_picture(evaluation, images(kind, severity)))
        rows.append(row)
    columns = ['clean', *(f'severity {severity}' for severity in chosen['severities'])]
    evaluation.save(draw_pictures(rows, chosen['kinds'], columns), 'corruptions.png')


def _first_picture(evaluation: Evaluation, loader: DataLoader) -> Any:
    batch = loader.collate_fn([loader.dataset[next(iter(loader.sampler))]])
    inputs, _ = evaluation.classifier.prepare(batch)
    return evaluation.to_pictures(inputs)[0]


SUITE = Suite(
    settings,
    check,
    run,
    {'mean_error': 'corruptions: mean error', 'mce': 'mCE relative to the baseline'},
    {'mce': '% of the baseline', 'relative_mce': '% of the baseline'},
)
