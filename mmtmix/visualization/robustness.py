"""Figures of an evaluation: calibration, errors under changes, and changed images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import fill

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from .grid import Group, image_grid
from .images import show_picture

Array = NDArray[np.floating]
_LINE_HEIGHT = 0.24  # inches per bar
_ROW_WIDTH, _ROW_LINES = 28, 5  # characters and lines of a label beside a picture


def draw_reliability(
    edges: Array, count: Array, confidence: Array, accuracy: Array, title: str
) -> Figure:
    """Draw a reliability diagram, with the number of images in each bin below it.

    Blue is the accuracy in a bin, dark and light. Red is what the mean confidence exceeds it by.

    Args:
        edges: Borders of the bins, (num_bins + 1,), 0 to 1.
        count: Number of images in each bin, (num_bins,).
        confidence: Mean confidence in each bin, (num_bins,); NaN where it is empty.
        accuracy: Share of right predictions in each bin, (num_bins,); NaN where it is empty.
        title: Line above the diagram.
    """
    figure = Figure(figsize=(4.6, 5.2), layout='constrained')
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    left, width = edges[:-1], np.diff(edges)
    upper.plot([0, 1], [0, 1], color='0.4', linestyle='--', linewidth=1, label='calibrated')
    given = dict(align='edge', edgecolor='white', linewidth=0.5)
    lower_end = np.fmin(accuracy, confidence)
    upper.bar(left, np.nan_to_num(lower_end), width, color='tab:blue', label='accuracy', **given)
    for name, color, gap in (
        ('confidence beyond accuracy', '#f2a0a0', confidence - accuracy),
        ('accuracy beyond confidence', '#9cc9ea', accuracy - confidence),
    ):
        shown = np.nan_to_num(gap).clip(0)
        bottom = np.nan_to_num(lower_end)
        upper.bar(left, shown, width, bottom=bottom, color=color, label=name, **given)
    upper.set(xlim=(0, 1), ylim=(0, 1), ylabel='accuracy')
    upper.set_title(title, fontsize=10, parse_math=False)
    upper.legend(loc='upper left', fontsize=8, frameon=False)
    lower.bar(left, count, width, color='0.55', **given)
    lower.set(xlabel='confidence of the predicted class', ylabel='images')
    lower.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    for axes in (upper, lower):
        axes.spines[['top', 'right']].set_visible(False)
    return figure


def draw_bars(values: Mapping[str, float], base: float, base_name: str, xlabel: str) -> Figure:
    """Draw one horizontal bar per name, with a line at a value of comparison.

    Args:
        values: Values by name, top to bottom, in percent.
        base: Value of comparison, in percent.
        base_name: Name of that value.
        xlabel: Label of the axis.
    """
    figure = Figure(figsize=(6.4, 1.1 + _LINE_HEIGHT * len(values)), layout='constrained')
    axes = figure.subplots()
    places = np.arange(len(values))[::-1]
    axes.barh(places, list(values.values()), height=0.7, color='tab:blue')
    for place, value in zip(places, values.values(), strict=True):
        axes.annotate(
            f'{value:.1f}', (value, place), (3, 0), textcoords='offset points', va='center',
            fontsize=8, bbox=dict(facecolor='white', edgecolor='none', pad=0.8),
        )  # fmt: skip
    axes.axvline(base, color='0.3', linestyle='--', linewidth=1)
    axes.set_title(f'dashed: {base_name}, {base:.1f}', fontsize=9, parse_math=False)
    axes.set_yticks(places, list(values), fontsize=8, parse_math=False)
    axes.set(xlabel=xlabel, xlim=(0, max(*values.values(), base, 1) * 1.12))
    axes.margins(y=0.02)
    axes.spines[['top', 'right']].set_visible(False)
    return figure


def draw_lines(
    x: Sequence[float], lines: Mapping[str, Sequence[float]], xlabel: str, ylabel: str
) -> Figure:
    """Draw percentages over a quantity, one line per name.

    Args:
        x: Values of the quantity, in rising order.
        lines: Percentages by name.
        xlabel: Label of the quantity.
        ylabel: Label of the percentages.
    """
    figure = Figure(figsize=(5.2, 3.4), layout='constrained')
    axes = figure.subplots()
    for name, values in lines.items():
        axes.plot(x, values, marker='o', markersize=4, linewidth=1.4, label=name, clip_on=False)
    axes.set(xlabel=xlabel, ylabel=ylabel, ylim=(0, 100))
    axes.grid(alpha=0.3)
    axes.spines[['top', 'right']].set_visible(False)
    axes.legend(fontsize=8, frameon=False)
    return figure


def draw_pictures(
    pictures: Sequence[Sequence[Array]],
    rows: Sequence[str],
    columns: Sequence[str],
    saliency: Sequence[Sequence[Array | None]] | None = None,
    boxes: Sequence[Sequence[Array | None]] | None = None,
) -> Figure:
    """Draw a table of pictures, with heat maps and boxes on them.

    Args:
        pictures: Pictures of each row in [0, 1], grey (H, W) or RGB (H, W, 3).
        rows: Label of each row; a long one is wrapped, and cut after five lines.
        columns: Label of each column.
        saliency: Heat map (h, w) in [0, 1] of each picture, or None.
        boxes: Boxes (n, 4) of each picture, left, top, right and bottom border in pixels, or None.
    """
    height, width = pictures[0][0].shape[:2]
    wrapped = [fill(row, _ROW_WIDTH, max_lines=_ROW_LINES, placeholder=' ...') for row in rows]
    figure, axes = image_grid([Group(columns)], [Group(wrapped)], height / width)
    for r, row in enumerate(pictures):
        for c, picture in enumerate(row):
            show_picture(axes[r, c], picture, saliency[r][c] if saliency else None)
            _draw_boxes(axes[r, c], boxes[r][c] if boxes else None)
    return figure


def _draw_boxes(axes: Axes, boxes: Array | None) -> None:
    for left, top, right, bottom in () if boxes is None else boxes:
        place = (left - 0.5, top - 0.5), right - left, bottom - top
        axes.add_patch(Rectangle(*place, fill=False, edgecolor='white', linewidth=2.2))
        axes.add_patch(Rectangle(*place, fill=False, edgecolor='black', linewidth=0.9))
