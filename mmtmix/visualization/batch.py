"""Batches of pictures with the label of each below it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from mmtmix.checks import check_integer

from .grid import make_frame, text_width, write_text
from .images import show_picture

_FONT, _TITLE_FONT, _CAPTION_FONT = 8, 11, 8
_LINE, _TITLE_LINE, _CAPTION_LINE = 1.3 * _FONT / 72, 1.6 * _TITLE_FONT / 72, 1.4 * 8 / 72
_MARGIN, _GAP = 0.12, 0.1
_CELL, _LEAST_WIDTH = 0.95, 6.0  # inches; narrower captions would have many lines
_LEAST_COLUMNS, _MOST_COLUMNS = 4, 8
_ALARM = '#b00020'


@dataclass(frozen=True)
class LabelledBatch:
    """Pictures of one batch.

    Attributes:
        title: Line above the pictures.
        pictures: Pictures in [0, 1], RGB (N, H, W, 3) or grey (N, H, W).
        labels: Text below each picture, of one or more lines, N of them.
    """

    title: str
    pictures: np.ndarray
    labels: Sequence[str]


def draw_batches(
    batches: Sequence[LabelledBatch],
    notes: Sequence[str] = (),
    alarms: Sequence[str] = (),
    columns: int | None = None,
) -> Figure:
    """Draw batches one below the other, and notes above them.

    Args:
        batches: Batches, at least one, whose pictures are all of one size.
        notes: Paragraphs above the pictures.
        alarms: Paragraphs in red, ahead of the notes.
        columns: Number of pictures per row, >= 1; chosen by their number if None.

    Returns:
        The figure. Its axes are the pictures, in order.

    Raises:
        ValueError: If there are no pictures, or a batch has not exactly one label per picture.
    """
    _check(batches)
    if columns is None:
        columns = _columns_for(max(len(batch.pictures) for batch in batches))
    check_integer('columns', columns, 1)
    height, width = batches[0].pictures.shape[1:3]
    labels = [label for batch in batches for label in batch.labels]
    cell = max(_CELL, _CELL * width / height, max(text_width(one, _FONT) for one in labels))
    tall = cell * height / width
    across = max(columns * (cell + _GAP) - _GAP, _LEAST_WIDTH)
    across = max(across, *(text_width(batch.title, _TITLE_FONT) for batch in batches))
    paragraphs = [(text, _ALARM) for text in alarms] + [(text, 'black') for text in notes]
    lines = [(line, colour) for text, colour in paragraphs for line in _wrap(text, across)]
    below = [_LINE * max(one.count('\n') + 1 for one in batch.labels) for batch in batches]
    down = [
        _TITLE_LINE + math.ceil(len(batch.pictures) / columns) * (tall + label + _GAP)
        for batch, label in zip(batches, below, strict=True)
    ]
    top = _MARGIN + len(lines) * _CAPTION_LINE + (_GAP if lines else 0)
    figure = Figure(figsize=(across + 2 * _MARGIN, top + sum(down) + _MARGIN))
    for number, (line, colour) in enumerate(lines):
        y = _MARGIN + number * _CAPTION_LINE
        options = dict(ha='left', va='top', color=colour)
        write_text(figure, _MARGIN, y, line, _CAPTION_FONT, **options)
    for batch, label_height, length in zip(batches, below, down, strict=True):
        _place(figure, batch, top, (cell, tall), columns, tall + label_height + _GAP)
        top += length
    return figure


def _check(batches: Sequence[LabelledBatch]) -> None:
    counts = [len(batch.pictures) for batch in batches]
    if not counts or 0 in counts:
        raise ValueError(f'batches must hold pictures, got {counts} of them')
    for batch in batches:
        if len(batch.labels) != len(batch.pictures):
            raise ValueError(
                f'{batch.title!r} has {len(batch.labels)} labels for {len(batch.pictures)} '
                'pictures; give one per picture'
            )


def _place(
    figure: Figure,
    batch: LabelledBatch,
    top: float,
    cell: tuple[float, float],
    columns: int,
    pitch: float,
) -> None:
    """Draw a batch from ``top`` on, in cells of a width and height; rows are a pitch apart."""
    wide, tall = figure.get_size_inches()
    width, height = cell
    write_text(figure, _MARGIN, top, batch.title, _TITLE_FONT, ha='left', va='top')
    for number, picture in enumerate(batch.pictures):
        x = _MARGIN + number % columns * (width + _GAP)
        y = top + _TITLE_LINE + number // columns * pitch
        corner = x / wide, 1 - (y + height) / tall
        axes = figure.add_axes((*corner, width / wide, height / tall))
        make_frame(axes)
        show_picture(axes, picture)
        middle, under = x + width / 2, y + height + 0.03
        write_text(figure, middle, under, batch.labels[number], _FONT, ha='center', va='top')


def _columns_for(count: int) -> int:
    """Return the number of columns that leaves the fewest gaps; the largest of several."""
    if count <= _MOST_COLUMNS:
        return count
    choices = range(_MOST_COLUMNS, _LEAST_COLUMNS - 1, -1)
    return min(choices, key=lambda columns: -count % columns)


def _wrap(text: str, width: float) -> list[str]:
    """Break a paragraph into lines that are at most as wide as this, in inches."""
    lines, line = [], ''
    for word in text.split():
        longer = f'{line} {word}'.strip()
        if line and text_width(longer, _CAPTION_FONT) > width:
            lines.append(line)
            longer = word
        line = longer
    return [*lines, line]
