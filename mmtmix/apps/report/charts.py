"""Coordinates of small line charts, which the page draws as SVG."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from matplotlib.ticker import MaxNLocator

WIDTH, HEIGHT = 360, 220
LEFT, RIGHT, TOP, BOTTOM = 50, 348, 12, 182
"""Place of the axes in a picture of :data:`WIDTH` x :data:`HEIGHT`."""

_MOST_POINTS = 400  # of a line, which is more than a screen shows


class Tick(NamedTuple):
    """A tick of an axis.

    Attributes:
        place: Coordinate in the picture.
        text: Its label.
    """

    place: float
    text: str


class Line(NamedTuple):
    """A line of a chart.

    Attributes:
        name: Name in the legend.
        path: Path in SVG's notation.
        ends: Points that are drawn as dots: all of a short line, or else the last.
        colour: Number of its colour, from 0.
        dashes: Number of its dashes, from 0, which is none.
    """

    name: str
    path: str
    ends: tuple[tuple[float, float], ...]
    colour: int
    dashes: int


@dataclass(frozen=True)
class Chart:
    """A chart of lines over epochs or iterations.

    Attributes:
        title: What is drawn.
        unit: Name of the horizontal axis.
        lines: Its lines.
        x_ticks: Ticks of the horizontal axis.
        y_ticks: Ticks of the vertical axis.
        text: Description for readers who do not see it.
        note: Sentence below it, such as one about values that are not finite.
    """

    title: str
    unit: str
    lines: tuple[Line, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    text: str
    note: str = ''


Points = Sequence[tuple[float, float]]


def draw_chart(
    title: str,
    unit: str,
    series: Mapping[str, Points],
    note: str = '',
    styles: Mapping[str, tuple[int, int]] | None = None,
) -> Chart | None:
    """Return the chart of several series.

    Args:
        title: What is drawn.
        unit: Name of the horizontal axis.
        series: Points (x, y) by name. Those whose y is not finite are left out, and counted in
            the note.
        note: First sentence of the note.
        styles: Colour and dashes by name; by default those of each line are its own.

    Returns:
        The chart; None if no point is finite.
    """
    finite = {
        name: [(x, y) for x, y in points if math.isfinite(y)] for name, points in series.items()
    }
    lost = sum(len(series[name]) - len(finite[name]) for name in series)
    finite = {name: points for name, points in finite.items() if points}
    if not finite:
        return None
    every = [point for points in finite.values() for point in points]
    x_low, x_high = min(0.0, min(x for x, _ in every)), max(x for x, _ in every)
    x_high = x_high if x_high > x_low else x_low + 1
    x_ticks = [value for value in _values(x_low, x_high, 5) if x_low <= value <= x_high]
    y_ticks = _values(min(y for _, y in every), max(y for _, y in every), 5)
    scale_x = _scale(x_low, x_high, LEFT, RIGHT)
    scale_y = _scale(y_ticks[0], y_ticks[-1], BOTTOM, TOP)
    lines = []
    for number, name in enumerate(series):
        if name in finite:
            points = [(_round(scale_x(x)), _round(scale_y(y))) for x, y in _thinned(finite[name])]
            lines.append(_line(name, points, *(styles or {}).get(name, (number, number))))
    notes = [note] if note else []
    if lost:
        notes.append(f'{lost} of {lost + len(every)} values are not finite and not drawn.')
    return Chart(
        title,
        unit,
        tuple(lines),
        _ticks(x_ticks, scale_x),
        _ticks(y_ticks, scale_y),
        _describe(title, unit, finite),
        ' '.join(notes),
    )


def _line(name: str, points: Points, colour: int, dashes: int) -> Line:
    path = 'M' + ' L'.join(f'{x:g},{y:g}' for x, y in points)
    dots = points if len(points) <= 20 else points[-1:]
    return Line(name, path, tuple(dots), colour, dashes)


def _ticks(values: Sequence[float], scale: Callable[[float], float]) -> tuple[Tick, ...]:
    return tuple(Tick(_round(scale(value)), f'{value:g}') for value in values)


def _thinned(points: Points) -> Points:
    if len(points) <= _MOST_POINTS:
        return points
    step = (len(points) - 1) / (_MOST_POINTS - 1)
    return [points[round(number * step)] for number in range(_MOST_POINTS)]


def _values(low: float, high: float, number: int) -> list[float]:
    """Return round values that cover a range."""
    if high <= low:
        margin = abs(low) * 0.1 or 1.0
        low, high = low - margin, high + margin
    locator = MaxNLocator(number, steps=[1, 2, 2.5, 5, 10])
    return [float(f'{value:.6g}') for value in locator.tick_values(low, high)]


def _scale(low: float, high: float, start: float, end: float) -> Callable[[float], float]:
    return lambda value: start + (value - low) / (high - low) * (end - start)


def _round(value: float) -> float:
    return round(value, 1)


def _describe(title: str, unit: str, series: Mapping[str, Points]) -> str:
    parts = [
        f'{name} from {points[0][1]:.4g} to {points[-1][1]:.4g}' for name, points in series.items()
    ]
    return f'{title} over {unit}s: {"; ".join(parts)}.'
