"""The rows of a table side by side, to compare methods by eye."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .paired import CONFIDENCE, margin_of_mean
from .results import TOP1, CellResult, group

_LINE = 0.3  # inches a method
_PANEL = 2.7  # inches a row
_APART = 0.14  # lines that dots are above the middle, and the interval below
_DOTS = dict(color='tab:blue', alpha=0.6, markersize=5, markeredgewidth=0)


def draw_panels(name: str, results: Sequence[CellResult]) -> Figure:
    """Draw a table whose columns are compared: a panel a row, a line a method.

    A dot is a seed, a bar their mean with its confidence interval, a long line the mean of the
    first method that the row is compared with. Each panel has its own scale.

    Args:
        name: Of the table.
        results: Of its cells that were run.
    """
    rows = group(results, 'row')
    methods = list(dict.fromkeys(result.cell.column for result in results))
    lines = {method: line for line, method in enumerate(methods)}
    size = (1.6 + _PANEL * len(rows), 1.2 + _LINE * len(methods))
    figure = Figure(figsize=size, layout='constrained')
    panels = figure.subplots(1, len(rows), sharey=True, squeeze=False)[0]
    for axes, (row, of_row) in zip(panels, rows.items(), strict=True):
        _draw_row(axes, of_row, lines)
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
    """What is labelled in some axes, each label once."""
    found: dict[str, Artist] = {}
    for axes in panels:
        handles, labels = axes.get_legend_handles_labels()
        found |= dict(zip(labels, handles, strict=True))
    return found


def _draw_row(axes: Axes, row: Sequence[CellResult], lines: Mapping[str, int]) -> None:
    for result in row:
        values, line = result.values(TOP1), lines[result.cell.column]
        mean, margin = statistics.fmean(values), margin_of_mean(values)
        axes.plot(values, [line - _APART] * len(values), 'o', label='seeds', **_DOTS)
        axes.plot(mean, line + _APART, '|', color='black', markersize=9, label='mean')
        if margin is not None:
            ends, interval = (mean - margin, mean + margin), f'{CONFIDENCE:.0%} interval'
            axes.plot(ends, [line + _APART] * 2, color='black', linewidth=1, label=interval)
        if result.cell.column in result.cell.against[:1]:
            label = f'mean of {result.cell.column}'
            axes.axvline(mean, color='tab:red', alpha=0.4, linewidth=1, label=label, zorder=1)
    axes.set_xlabel('top-1 accuracy (%)', fontsize=9)
    axes.grid(axis='x', alpha=0.3)
    axes.spines[['top', 'right']].set_visible(False)
    axes.tick_params(labelsize=8)
