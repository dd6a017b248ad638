"""Results as pictures, one a table."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from mmtmix.visualization import save_figure

from .experiments import TOP1
from .panels import draw_panels, legend_of
from .results import CellResult, group

_LINE = 0.28  # inches a cell


def plot_tables(
    results: Sequence[CellResult], folder: str | os.PathLike, prefix: str = ''
) -> list[Path]:
    """Draw each table of which a cell was run.

    Args:
        results: Of any cells.
        folder: Where the pictures go, one a table.
        prefix: What their names begin with.

    Returns:
        The pictures that were written.
    """
    written = []
    finished = [result for result in results if result.values(TOP1)]
    for name, of_table in group(finished, 'table').items():
        is_compared = any(result.cell.against for result in of_table)
        figure = (draw_panels if is_compared else draw_table)(name, of_table)
        written.append(Path(folder, picture_name(name, prefix)))
        save_figure(figure, written[-1])
    return written


def picture_name(table: str, prefix: str = '') -> str:
    """The file of a table's picture."""
    return f'{prefix}{table.replace("/", "_")}.png'


def draw_table(name: str, results: Sequence[CellResult]) -> Figure:
    """Draw a table: a dot for each seed, a bar for their mean, a cross for the printed figure."""
    figure = Figure(figsize=(7, 1 + _LINE * len(results)), layout='constrained')
    axes = figure.add_subplot()
    for line, result in enumerate(results):
        values = result.values(TOP1)
        axes.plot(values, [line] * len(values), 'o', color='tab:blue', alpha=0.6, label='seeds')
        axes.plot(result.mean(TOP1), line, '|', color='black', markersize=14, label='mean')
        if result.cell.printed:
            axes.plot(result.cell.printed[0], line, 'x', color='tab:red', label='printed')
    prefix = f'{name}/'
    axes.set_yticks(range(len(results)), [r.cell.id.removeprefix(prefix) for r in results])
    axes.invert_yaxis()
    axes.set(title=name, xlabel='top-1 accuracy (%)')
    axes.grid(axis='x', alpha=0.3)
    found = legend_of([axes])
    axes.legend(found.values(), found.keys(), loc='best', fontsize=8)
    return figure
