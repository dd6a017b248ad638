"""Training curves of several runs in one figure."""

from __future__ import annotations

import os
from collections.abc import Mapping

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from mmtmix.checks import check_text

from .scalars import Record, read_scalars


def plot_curves(
    runs: Mapping[str, str | os.PathLike],
    metric: str = 'accuracy/top1',
    loss: str = 'loss',
) -> Figure:
    """Plot the training loss and a validation metric, one line per run.

    A run that mixes its images logs the loss on the mixes. Such losses can't be compared between
    runs.

    Args:
        runs: Work dirs by the names of the runs.
        metric: Name of the metric in the log of the validation.
        loss: Name of the loss in the log of the training.

    Returns:
        A figure of two axes, loss and metric, over epochs, or over iterations if a run has no
        epochs.

    Raises:
        FileNotFoundError: If a work dir has no training log.
        TypeError: If an argument is of another type.
        ValueError: If there are no runs, or one did not log the loss or the metric.
    """
    if not runs:
        raise ValueError('runs is empty; give at least one, as {name: work_dir}')
    check_text('metric', metric)
    check_text('loss', loss)
    logs = {name: read_scalars(work_dir) for name, work_dir in runs.items()}
    epochs = all(log.by_epoch for log in logs.values())
    figure = Figure(figsize=(9, 3.4), layout='constrained')
    left, right = figure.subplots(1, 2, sharex=True)
    for name, log in logs.items():
        # training is logged by iteration; validation by epoch in a run that has epochs
        length = log.epoch_length
        x, y = _series(name, log.train, loss)
        left.plot([step / length for step in x] if epochs else x, y, label=name, linewidth=1.4)
        x, y = _series(name, log.val, metric)
        x = x if epochs else [step * length for step in x]
        label = f'{name}: {y[-1]:.2f}'
        right.plot(x, y, label=label, linewidth=1.4, marker='o', markersize=3)
    unit = 'epoch' if epochs else 'iteration'
    _finish(left, unit, f'training {loss}', 'Training, each run on its own (mixed) images')
    _finish(right, unit, metric, 'Validation, last value in the legend')
    return figure


def _series(name: str, records: list[Record], key: str) -> tuple[list[float], list[float]]:
    found = [(record['step'], record[key]) for record in records if key in record]
    if not found:
        logged = sorted({other for record in records for other in record} - {'step', 'iter'})
        raise ValueError(
            f'run {name!r} logged no {key!r}; it logged {logged}'
            + ('' if records else ': it has had no validation yet')
        )
    x, y = zip(*found, strict=True)
    return list(x), list(y)


def _finish(axes: Axes, xlabel: str, ylabel: str, title: str) -> None:
    axes.set(xlabel=xlabel, ylabel=ylabel)
    axes.set_xlim(left=0)
    axes.set_title(title, fontsize=10)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    axes.grid(alpha=0.3)
    axes.spines[['top', 'right']].set_visible(False)
    axes.legend(frameon=False, fontsize=8)
