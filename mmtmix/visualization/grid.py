"""Figures of many small pictures, measured so that no two texts meet."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.textpath import TextPath

from mmtmix.checks import check_number, check_path
from mmtmix.utils import atomic_path

# all in inches
_GAP, _GROUP_GAP, _MARGIN, _PAD = 0.04, 0.16, 0.06, 0.06
_FONT, _TITLE_FONT = 8, 9
_LINE, _TITLE_LINE = 1.3 * _FONT / 72, 1.5 * _TITLE_FONT / 72


@dataclass(frozen=True)
class Group:
    """Rows or columns that belong together.

    Attributes:
        labels: Text beside each row or above each column, of one or more lines.
        title: Line above the labels of columns, or left of the labels of rows.
    """

    labels: Sequence[str]
    title: str = ''


@dataclass(frozen=True)
class _Track:
    """Places of rows or columns, in inches from the start of the first one."""

    starts: list[float]
    cell: float

    @property
    def length(self) -> float:
        return self.starts[-1] + self.cell


def image_grid(
    columns: Sequence[Group], rows: Sequence[Group], aspect: float, cell: float = 0.8
) -> tuple[Figure, np.ndarray]:
    """Return a figure of empty frames for pictures, with labels around them.

    Cells grow where a label would not fit otherwise.

    Args:
        columns: Groups of columns, left to right.
        rows: Groups of rows, top to bottom.
        aspect: Height of a picture divided by its width, > 0.
        cell: Smallest length of the shorter side of a cell in inches, > 0.

    Returns:
        The figure and its axes, (rows, columns).

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range.
    """
    check_number('aspect', aspect, above=0)
    check_number('cell', cell, above=0)
    width = max(cell, cell / aspect, _needed_width(columns))
    width = max(width, _needed_height(rows) / aspect)
    across, down = _place(columns, width), _place(rows, width * aspect)
    title_width = max(text_width(group.title, _TITLE_FONT) for group in rows)
    label_left = _MARGIN + (title_width + 2 * _PAD if title_width else 0)
    left = label_left + _PAD + max(text_width(label, _FONT) for g in rows for label in g.labels)
    header = _PAD + _LINE * max(_lines(label) for group in columns for label in group.labels)
    titles = _TITLE_LINE + _PAD if any(group.title for group in columns) else 0
    top = _MARGIN + titles + header
    size = (left + across.length + _MARGIN, top + down.length + _MARGIN)
    figure = Figure(figsize=size)
    axes = np.empty((len(down.starts), len(across.starts)), dtype=object)
    for r, y in enumerate(down.starts):
        for c, x in enumerate(across.starts):
            corner = (left + x) / size[0], 1 - (top + y + down.cell) / size[1]
            axes[r, c] = figure.add_axes((*corner, across.cell / size[0], down.cell / size[1]))
            make_frame(axes[r, c])
    for group, centers in _centers(rows, down):
        for y, label in zip(centers, group.labels, strict=True):
            write_text(figure, label_left, top + y, label, _FONT, ha='left', va='center')
        middle = (centers[0] + centers[-1]) / 2
        write_text(figure, _MARGIN, top + middle, group.title, _TITLE_FONT, ha='left', va='center')
    for group, centers in _centers(columns, across):
        for x, label in zip(centers, group.labels, strict=True):
            write_text(figure, left + x, top - _PAD, label, _FONT, ha='center', va='bottom')
        middle = left + (centers[0] + centers[-1]) / 2
        above = top - header - _PAD
        write_text(figure, middle, above, group.title, _TITLE_FONT, ha='center', va='bottom')
    return figure, axes


def highlight(axes: Iterable[Any], color: str = 'tab:red') -> None:
    """Draw a coloured frame around cells.

    Args:
        axes: Cells, as :func:`image_grid` returns them.
        color: Name of the colour in matplotlib.
    """
    for cell in axes:
        for spine in cell.spines.values():
            spine.set(edgecolor=color, linewidth=1.6, zorder=5)


def save_figure(figure: Figure, path: str | os.PathLike, dpi: int = 200) -> None:
    """Write a figure, atomically.

    Args:
        figure: Figure to write.
        path: Path of the file. Its suffix determines the format (.png, .pdf, .svg, ...).
        dpi: Resolution of pixel formats in dots per inch, > 0.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If the suffix is no format that matplotlib writes.
    """
    check_format(path)
    check_number('dpi', dpi, above=0)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=dpi)


def check_format(path: str | os.PathLike) -> None:
    """Refuse a path whose suffix is no format that matplotlib writes.

    Args:
        path: Path of a figure.

    Raises:
        TypeError: If ``path`` is no path.
        ValueError: If its suffix is no such format.
    """
    check_path('path', path)
    formats = sorted(Figure().canvas.get_supported_filetypes())
    if Path(path).suffix.lower().lstrip('.') not in formats:
        raise ValueError(
            f'cannot write {str(path)!r}: its suffix must be one of {formats}, such as .png'
        )


def _place(groups: Sequence[Group], cell: float) -> _Track:
    starts: list[float] = []
    position = 0.0
    for group in groups:
        for _ in group.labels:
            starts.append(position)
            position += cell + _GAP
        position += _GROUP_GAP - _GAP
    return _Track(starts, cell)


def _centers(groups: Sequence[Group], track: _Track) -> Iterator[tuple[Group, list[float]]]:
    """Yield each group with the centre of each of its rows or columns."""
    starts = iter(track.starts)
    for group in groups:
        yield group, [next(starts) + track.cell / 2 for _ in group.labels]


def write_text(figure: Figure, x: float, y: float, text: str, size: float, **options: Any) -> None:
    """Write text into a figure.

    Args:
        figure: The figure.
        x: Distance from its left edge in inches.
        y: Distance from its upper edge in inches.
        text: Text, in which a ``$`` starts no formula.
        size: Size of the font in points, > 0.
        **options: Alignment and colour, as for ``Figure.text``.
    """
    width, height = figure.get_size_inches()
    figure.text(x / width, 1 - y / height, text, fontsize=size, parse_math=False, **options)


def _needed_width(columns: Sequence[Group]) -> float:
    """Return the width of the narrowest cells whose labels and group titles fit above them."""
    widths = [text_width(label, _FONT) + _PAD for group in columns for label in group.labels]
    titles = [text_width(group.title, _TITLE_FONT) / len(group.labels) for group in columns]
    return max(*widths, *titles)


def _needed_height(rows: Sequence[Group]) -> float:
    return _LINE * max(_lines(label) for group in rows for label in group.labels)


def _lines(text: str) -> int:
    return text.count('\n') + 1 if text else 0


def text_width(text: str, size: float) -> float:
    """Return the width of a text in inches, that of its longest line.

    Args:
        text: Text of one or more lines.
        size: Size of the font in points, > 0.
    """
    # TextPath would read a $ as the start of a formula; an S is as wide
    lines = [line for line in text.replace('$', 'S').splitlines() if line.strip()]
    return max(
        (TextPath((0, 0), line, size=size).get_extents().x1 / 72 for line in lines), default=0.0
    )


def make_frame(axes: Any) -> None:
    """Turn axes into a thin frame without ticks."""
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set(edgecolor='0.6', linewidth=0.4)
