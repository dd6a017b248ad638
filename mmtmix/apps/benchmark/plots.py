"""Plots of cost against the batch, k, the image size and the teacher."""

from __future__ import annotations

import os

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mmtmix.visualization import save_figure

from .report import Report
from .tables import sweep_curves

TITLES = {
    'batch_size': 'batch size',
    'k': 'images per mix',
    'image_size': 'side of the images (pixels)',
    'teacher': 'teacher',
}
"""Names of the axes, by the field that changes."""


def plot_sweeps(report: Report, path: str | os.PathLike) -> None:
    """Plot the sweeps of a report side by side, in forward passes of the teacher.

    Args:
        report: Figures with sweeps.
        path: Path of the picture.

    Raises:
        OSError: If it cannot be written.
        ValueError: If the report has no sweep.
    """
    swept = [axis for axis in TITLES if f'sweep_{axis}' in report.sections]
    if not swept:
        raise ValueError('the figures have no sweep to plot; measure with --sweep')
    figure = Figure(figsize=(3.2 * len(swept), 3.2), layout='constrained')
    for axis, axes in zip(swept, figure.subplots(1, len(swept), squeeze=False)[0], strict=True):
        _plot(axes, report, axis)
    handles = {
        label: handle
        for axes in figure.axes
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    figure.legend(handles.values(), handles, loc='outside lower center', ncols=len(handles))
    save_figure(figure, path)


def _plot(axes: Axes, report: Report, axis: str) -> None:
    section = report.sections[f'sweep_{axis}']
    colors = {'CutMix': 'C0', 'TransformMix': 'C1', 'SuperMix': 'C2'}
    for mixer, curve in sweep_curves(section).items():
        places = range(len(curve))
        color = colors.get(mixer)
        axes.plot(places, list(curve.values()), label=mixer, color=color, marker='o', markersize=4)
        axes.set_xticks(places, list(curve), rotation=20 if axis == 'teacher' else 0)
    axes.set_yscale('log')
    axes.axhline(1, color='grey', linewidth=0.8, linestyle=':')
    axes.set_xlabel(TITLES[axis])
    axes.set_title('teacher trained' if section.setting['trained'] else 'random weights', size=9)
    place = axes.get_subplotspec()
    if place is not None and not place.colspan.start:
        axes.set_ylabel("time of a mix\n(teacher's forward passes)")
