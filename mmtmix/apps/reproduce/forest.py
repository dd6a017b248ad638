"""Forest plot of a table: differences to one reference, the rows side by side on one scale."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .paired import CONFIDENCE
from .panels import legend_of
from .power import LEVEL
from .results import CellResult, group
from .table_statistics import adjusted_p, row_statistics

# of Okabe and Ito (2008), apart for all common kinds of colour blindness; and in grey by shape
_STYLES = (
    ('#0072B2', 'o'),
    ('#D55E00', 's'),
    ('#009E73', '^'),
    ('#CC79A7', 'D'),
    ('#E69F00', 'v'),
    ('#56B4E9', 'P'),
)
_LINE = 0.13  # inches per method and row
_BAND = '#f2f2f2'  # behind every other method
_FEWEST = 3  # pairs that an interval is drawn for, as in the panels


def draw_forest(name: str, results: Sequence[CellResult], reference: str = '') -> Figure:
    """Draw a table with one group of lines per method, and in it one line per row of the table.

    A marker is the mean difference to the reference, by runs of the same seeds, and a line is its
    confidence interval. A filled marker is a difference whose adjusted p-value is below
    :data:`LEVEL`, among those of its row to the reference.

    Args:
        name: Name of the table.
        results: Results of its cells that were run.
        reference: Column that the others are compared with, one of those in ``against``; by
            default the first.

    Raises:
        ValueError: If a row is not compared with the reference, or there are too many rows.
    """
    rows = group(results, 'row')
    reference = reference or next(iter(results[0].cell.against), '')
    for row, of_row in rows.items():
        if not reference or reference not in of_row[0].cell.against:
            raise ValueError(
                f'{row} is not compared with {reference!r}; its `against` has '
                f'{list(of_row[0].cell.against)}'
            )
    if len(rows) > len(_STYLES):
        raise ValueError(f'{name} has {len(rows)} rows; a forest plot shows {len(_STYLES)}')
    methods = [
        column
        for column in dict.fromkeys(result.cell.column for result in results)
        if column != reference
    ]
    height = 1.2 + _LINE * len(methods) * (len(rows) + 1)
    figure = Figure(figsize=(7.5, height), layout='constrained')
    axes = figure.add_subplot()
    for line in range(0, len(methods), 2):
        axes.axhspan(line - 0.5, line + 0.5, color=_BAND, zorder=0)
    axes.axvline(0, color='black', linewidth=1, zorder=1)
    for number, (row, of_row) in enumerate(rows.items()):
        offset = (number - (len(rows) - 1) / 2) / (len(rows) + 1)
        _draw_row(axes, of_row, reference, methods, offset, number, row.removeprefix(f'{name}/'))
    axes.set_yticks(range(len(methods)), methods)
    axes.set_ylim(len(methods) - 0.5, -0.5)
    axes.tick_params(axis='y', length=0)
    axes.set_title(name, fontsize=11)
    axes.set_xlabel(
        f'top-1 (%) minus that of {reference}, with {CONFIDENCE:.0%} interval; '
        f'filled: adjusted p < {LEVEL:g}'
    )
    axes.grid(axis='x', alpha=0.3)
    axes.spines[['top', 'right', 'left']].set_visible(False)
    found = legend_of([axes])
    figure.legend(
        found.values(), found.keys(), loc='outside lower center', ncols=len(rows), frameon=False
    )
    return figure


def _draw_row(
    axes: Axes,
    row: Sequence[CellResult],
    reference: str,
    methods: Sequence[str],
    offset: float,
    number: int,
    label: str,
) -> None:
    """Draw the differences of a row's methods, each a little above or below the method's line."""
    of_row = row_statistics(row).differences
    found = {column: differences.get(reference) for column, differences in of_row.items()}
    holds = {column for column, value in adjusted_p(found).items() if value < LEVEL}
    color, shape = _STYLES[number]
    for column, difference in found.items():
        if difference is None:
            continue
        line = methods.index(column) + offset
        low, high = difference.low, difference.high
        if len(difference.by_seed) >= _FEWEST and low is not None and high is not None:
            axes.plot([low, high], [line] * 2, color=color, linewidth=1.4, zorder=2)
        fill = color if column in holds else 'white'
        axes.plot(difference.mean, line, shape, color=color, markerfacecolor=fill, zorder=3)
    axes.plot([], [], shape, color=color, label=label)
