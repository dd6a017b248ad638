"""Curves of one run, or of several over each other, from their logs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from mmtmix.visualization import Scalars
from mmtmix.visualization.scalars import Record

from .charts import Chart, Points, draw_chart
from .figures import TOP1, is_metric, is_number

_MOST_CHARTS = 18
_NO_CURVES = frozenset(
    {'time', 'data_time', 'step', 'iter', 'epoch', 'memory', 'base_lr', 'momentum'}
)
_TITLES = {
    'loss': 'Training loss',
    TOP1: 'Top-1 accuracy, validation, %',
    'lr': 'Learning rate',
    'accuracy/top5': 'Top-5 accuracy, validation, %',
    'grad_norm': 'Norm of the gradient',
    'theta_scale': 'Scale of the warps',
    'theta_shift': 'Shift of the warps, in sides',
    'theta_rotation': 'Rotation of the warps, degrees',
    'temperature': 'Temperature of the masks',
    'mask_entropy': 'Entropy of the masks, 0 to 1',
    'kept_saliency': 'Share of saliency that is kept',
    'mix/ce': 'Cross-entropy on mixes',
    'mix/top_k': 'Mixes with all classes found, %',
    'mix/shift': 'Shift of the warps in validation',
}
# names of a log that are drawn into one chart, with their names there
_TOGETHER = {
    'teacher_clean_acc': ('Accuracy of the teacher, %', 'clean images'),
    'teacher_mixed_acc': ('Accuracy of the teacher, %', 'mixed images'),
}
_FIRST = ('loss', TOP1, 'lr')
_OWN_IMAGES = 'Each on its own images, mixed or not: losses of two methods do not compare.'


class _Curve(NamedTuple):
    """A name of the log that is drawn.

    Attributes:
        name: The name.
        label: Its name in a chart with others.
        is_validated: Whether the log of the validation has it.
    """

    name: str
    label: str
    is_validated: bool


def run_charts(
    logs: Mapping[str, Scalars], styles: Mapping[str, tuple[int, int]] | None = None
) -> list[Chart]:
    """Return the charts of one run, or of several over each other.

    Args:
        logs: Logs by the names of the runs.
        styles: Colour and dashes of the runs, by their names.

    Returns:
        Loss, accuracy and learning rate, then what else was logged. Of several runs only what two
        of them or more have logged.
    """
    by_epoch = all(log.by_epoch for log in logs.values())
    groups = _groups(logs)
    order = sorted(groups, key=lambda key: _FIRST.index(key) if key in _FIRST else len(_FIRST))
    charts = []
    for key in order:
        if len(logs) > 1 and _count_runs(logs, groups[key]) < 2:
            continue  # there is nothing beside it; the run's own section has it
        series: dict[str, Points] = {}
        for curve in groups[key]:
            for run, log in logs.items():
                label = curve.label if len(groups[key]) > 1 else ''
                if len(logs) > 1 or not label:
                    label = f'{run}: {label}' if label else run
                series[label] = _points(log, curve, by_epoch)
        note = _OWN_IMAGES if key == 'loss' and len(logs) > 1 else ''
        unit = 'epoch' if by_epoch else 'iteration'
        charts.append(draw_chart(_TITLES.get(key, key), unit, series, note, styles))
    return [chart for chart in charts if chart is not None][:_MOST_CHARTS]


def _count_runs(logs: Mapping[str, Scalars], curves: Sequence[_Curve]) -> int:
    """Return how many runs have a finite value of one of the curves."""
    return sum(
        any(
            is_number(record.get(curve.name))
            for curve in curves
            for record in (log.val if curve.is_validated else log.train)
        )
        for log in logs.values()
    )


def _groups(logs: Mapping[str, Scalars]) -> dict[str, list[_Curve]]:
    """Return what is drawn into each chart, by its key."""
    groups: dict[str, list[_Curve]] = {}
    for name in _names([record for log in logs.values() for record in log.train]):
        if name not in _NO_CURVES and not name.endswith('_spread'):
            key, label = _TOGETHER.get(name, (name, name))
            groups.setdefault(key, []).append(_Curve(name, label, False))
    for name in _names([record for log in logs.values() for record in log.val]):
        if is_metric(name):
            parts = name.split('/')
            # a search measures its mixes beside those of other methods: mix/<method>/<measure>
            is_measure = parts[0] == 'mix' and len(parts) == 3
            key, label = (f'mix/{parts[2]}', parts[1]) if is_measure else (name, name)
            groups.setdefault(key, []).append(_Curve(name, label, True))
    return dict(sorted(groups.items()))


def _names(records: Sequence[Record]) -> list[str]:
    """Return the names that have a finite number in some record."""
    names = {name for record in records for name in record}
    return sorted(n for n in names if any(is_number(record.get(n)) for record in records))


def _points(log: Scalars, curve: _Curve, by_epoch: bool) -> Points:
    """Return a curve over epochs, or over iterations."""
    # training is logged by iteration; validation by epoch in a run that has epochs
    records, factor = log.train, 1 / log.epoch_length if by_epoch else 1.0
    if curve.is_validated:
        records, factor = log.val, 1.0 if by_epoch else float(log.epoch_length)
    return [
        (record['step'] * factor, _float(record[curve.name]))
        for record in records
        if curve.name in record and 'step' in record
    ]


def _float(value: object) -> float:
    return float(value) if is_number(value) else math.nan  # type: ignore[arg-type]
