"""Pictures of results, one per table."""

from __future__ import annotations

import os
import statistics
from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from mmtmix.visualization import save_figure

from .experiments import TOP1
from .panels import draw_panels, legend_of
from .results import CellResult, group

_LINE = 0.28  # inches per cell


def plot_tables(
    results: Sequence[CellResult], folder: str | os.PathLike, prefix: str = ''
) -> list[Path]:
    """Draw each table with a cell that was run.

    Args:
        results: Results of any cells.
        folder: Folder of the pictures, one per table.
        prefix: Beginning of the pictures' names.

    Returns:
        Paths of the pictures.
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
    """Return the file name of a table's picture.

    Args:
        table: Name of the table, ``paper/table``.
        prefix: Beginning of the file name.
    """
    return f'{prefix}{table.replace("/", "_")}.png'


def draw_table(name: str, results: Sequence[CellResult]) -> Figure:
    """Draw a table: a dot per seed, a bar for the mean, a cross for the printed figure.

    Args:
        name: Name of the table.
        results: Results of its cells that were run.
    """
    figure = Figure(figsize=(7, 1 + _LINE * len(results)), layout='constrained')
    axes = figure.add_subplot()
    for line, result in enumerate(results):
        values = result.values(TOP1)
        axes.plot(values, [line] * len(values), 'o', color='tab:blue', alpha=0.6, label='seeds')
        axes.plot(statistics.fmean(values), line, '|', color='black', markersize=14, label='mean')
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
