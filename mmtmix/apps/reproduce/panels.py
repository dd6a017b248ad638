"""Plots of a table's rows side by side, to compare methods by eye."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .paired import CONFIDENCE, PairedDifference
from .results import CellResult, differences, group

_LINE = 0.3  # inches per method
_PANEL = 2.7  # inches per row
_APART = 0.14  # distance in lines of the dots above the middle, and of the interval below it
_FEWEST = 3  # pairs that an interval is drawn for: that of two pairs is wider than the plot
_DOTS: dict[str, Any] = dict(color='tab:blue', alpha=0.6, markersize=5, markeredgewidth=0)


def draw_panels(name: str, results: Sequence[CellResult]) -> Figure:
    """Draw a table whose columns are compared, with one panel per row and one line per method.

    A panel shows differences to the first method that the row is compared with, by runs of the
    same seeds. A dot stands for a seed, a bar for the mean, with its confidence interval. Each
    panel has its own scale.

    Args:
        name: Name of the table.
        results: Results of its cells that were run.
    """
    rows = group(results, 'row')
    methods = list(dict.fromkeys(result.cell.column for result in results))
    size = (1.6 + _PANEL * len(rows), 1.2 + _LINE * len(methods))
    figure = Figure(figsize=size, layout='constrained')
    panels = figure.subplots(1, len(rows), sharey=True, squeeze=False)[0]
    for axes, (row, of_row) in zip(panels, rows.items(), strict=True):
        _draw_row(axes, of_row, methods)
        axes.set_title(row.removeprefix(f'{name}/'), fontsize=10)
    panels[0].set_yticks(range(len(methods)), methods)
    panels[0].set_ylim(len(methods) - 0.5, -0.5)
    figure.suptitle(name, fontsize=11)
    found = legend_of(panels)
    figure.legend(
        found.values(),
        found.keys(),
        loc='outside lower center',
        ncols=2 * len(rows),
        fontsize=8,
        frameon=False,
    )
    return figure


def legend_of(panels: Iterable[Axes]) -> dict[str, Artist]:
    """Return the labelled artists of some axes, each label once.

    Args:
        panels: Axes of a figure.
    """
    found: dict[str, Artist] = {}
    for axes in panels:
        handles, labels = axes.get_legend_handles_labels()
        found |= dict(zip(labels, handles, strict=True))
    return found


def _draw_row(axes: Axes, row: Sequence[CellResult], methods: Sequence[str]) -> None:
    reference = row[0].cell.against[0]
    axes.axvline(0, color='tab:red', alpha=0.4, linewidth=1, label=f'{reference} itself', zorder=1)
    for result in row:
        found = differences(result, row).get(reference)
        if found:
            _draw_difference(axes, found, methods.index(result.cell.column))
    axes.set_xlabel(f'top-1 (%) minus that of {reference}', fontsize=9)
    axes.grid(axis='x', alpha=0.3)
    axes.spines[['top', 'right']].set_visible(False)
    axes.tick_params(labelsize=8)


def _draw_difference(axes: Axes, found: PairedDifference, line: int) -> None:
    values = list(found.by_seed.values())
    axes.plot(values, [line - _APART] * len(values), 'o', label='seeds', **_DOTS)
    axes.plot(found.mean, line + _APART, '|', color='black', markersize=9, label='mean')
    if len(values) >= _FEWEST and found.low is not None and found.high is not None:
        ends, label = (found.low, found.high), f'{CONFIDENCE:.0%} interval'
        axes.plot(ends, [line + _APART] * 2, color='black', linewidth=1, label=label)
