"""Results beside the printed figures, as pictures."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from mmtmix.visualization import save_figure

from .results import METRICS, CellResult

_TOP1 = METRICS[0]
_LINE = 0.28  # inches a cell


def plot_tables(results: Sequence[CellResult], folder: str | os.PathLike) -> list[Path]:
    """Draw each table of which a cell was run.

    Args:
        results: Of any cells.
        folder: Where the pictures go, one a table.

    Returns:
        The pictures that were written.
    """
    tables: dict[str, list[CellResult]] = {}
    for result in results:
        if result.values(_TOP1):
            tables.setdefault(result.cell.table, []).append(result)
    written = []
    for name, of_table in tables.items():
        path = Path(folder, name.replace('/', '_') + '.png')
        path.parent.mkdir(parents=True, exist_ok=True)
        save_figure(draw_table(name, of_table), path)
        written.append(path)
    return written


def draw_table(name: str, results: Sequence[CellResult]) -> Figure:
    """Draw a table: a dot for each seed, a bar for their mean, a cross for the printed figure."""
    figure = Figure(figsize=(7, 1 + _LINE * len(results)), layout='constrained')
    axes = figure.add_subplot()
    for line, result in enumerate(results):
        values = result.values(_TOP1)
        axes.plot(values, [line] * len(values), 'o', color='tab:blue', alpha=0.6, label='seeds')
        axes.plot(result.mean(_TOP1), line, '|', color='black', markersize=14, label='mean')
        if result.cell.printed:
            axes.plot(result.cell.printed[0], line, 'x', color='tab:red', label='printed')
    prefix = f'{name}/'
    axes.set_yticks(range(len(results)), [r.cell.id.removeprefix(prefix) for r in results])
    axes.invert_yaxis()
    axes.set(title=name, xlabel='top-1 accuracy (%)')
    axes.grid(axis='x', alpha=0.3)
    handles, labels = axes.get_legend_handles_labels()
    unique = dict(zip(labels, handles, strict=True))
    axes.legend(unique.values(), unique.keys(), loc='best', fontsize=8)
    return figure
