"""Figures as tables in Markdown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from .report import BLEND, FORWARD, Row, Section
from .verdicts import Verdict

_UNITS = ((1.0, 's', 1), (1e-3, 'ms', 1e3), (0.0, 'µs', 1e6))


def section_table(section: Section) -> str:
    """Return the rows of a topic as a table, with the columns that have figures.

    Args:
        section: Table of a topic.
    """
    columns: dict[str, Callable[[Row], str]] = {'time': _time, 'spread (%)': _spread}
    for title, name in (('x plain blend', BLEND), ('x teacher forward', FORWARD)):
        unit = section.rows.get(name, Row()).seconds
        if unit:
            columns[title] = partial(_in_units, unit)
    columns['images/s'] = _rate
    columns['iterations'] = lambda row: _number(row.iterations)
    columns['finished (%)'] = lambda row: _number(row.finished, 100, 1)
    columns['peak (MiB)'] = lambda row: _number(row.megabytes, 1, 0)
    columns['figure'] = lambda row: _number(row.value)
    cells = {
        title: [write(row) for row in section.rows.values()] for title, write in columns.items()
    }
    cells = {title: texts for title, texts in cells.items() if any(text != '-' for text in texts)}
    lines = [[name, *texts] for name, *texts in zip(section.rows, *cells.values(), strict=True)]
    shown = markdown(['', *cells], lines) if lines else ''
    by_reason: dict[str, list[str]] = {}
    for name, reason in section.missing.items():
        by_reason.setdefault(reason, []).append(name)
    notes = [
        f'Not measured: {", ".join(names)}. Reason: {why}.' for why, names in by_reason.items()
    ]
    return '\n\n'.join(filter(None, [shown, *notes]))


def goals_table(verdicts: Iterable[Verdict]) -> str:
    """Return goals with their figures and verdicts as a table.

    Args:
        verdicts: Goals that were compared with figures.
    """
    lines = []
    for found in verdicts:
        goal, unit = found.goal, found.goal.unit
        sign = '>=' if goal.at_least else '<='
        verdict = f'{found.verdict}: {found.reason}' if found.reason else found.verdict
        figure = '-' if found.figure is None else f'{_plain(found.figure)} {unit}'.strip()
        bound = f'{sign} {_plain(goal.bound)} {unit}'.strip()
        lines.append([goal.name, goal.before or '-', figure, bound, verdict])
    return markdown(['goal', 'before', 'now', 'bound', 'verdict'], lines)


def sweep_table(section: Section) -> str:
    """Return the rows of a sweep as a table: values by mixers, in passes of the teacher.

    Args:
        section: Table of a sweep, whose rows are named ``'MIXER, VALUE'``.
    """
    curves = sweep_curves(section)
    values = list(next(iter(curves.values()), {}))
    lines = [
        [value, *(_number(curve.get(value)) for curve in curves.values())] for value in values
    ]
    return markdown(['', *(f'{name} (x forward)' for name in curves)], lines)


def sweep_curves(section: Section) -> dict[str, dict[str, float]]:
    """Return the cost of each mixer of a sweep, in forward passes at the same value.

    Args:
        section: Table of a sweep, whose rows are named ``'MIXER, VALUE'``.
    """
    found: dict[str, dict[str, float]] = {}
    for name, row in section.rows.items():
        mixer, _, value = name.rpartition(', ')
        unit = section.rows[f'{FORWARD}, {value}'].seconds
        if mixer != FORWARD and unit and row.seconds is not None:
            found.setdefault(mixer, {})[value] = row.seconds / unit
    return found


def profile_table(operators: Iterable[Mapping[str, Any]]) -> str:
    """Return the operators of an augment as a table.

    Args:
        operators: Operators from :func:`~mmtmix.apps.benchmark.profile.profile_call`.
    """
    lines = [
        [f'`{each["operator"]}`', f'{each["calls"]:g}', f'{100 * each["share"]:.1f}']
        for each in operators
    ]
    return markdown(['operator', 'calls', 'own time (%)'], lines)


def setting_line(machine: Mapping[str, Any], setting: Mapping[str, Any] | None = None) -> str:
    """Return what the times depend on, in one line.

    Args:
        machine: Properties of the machine, from :func:`describe_machine`.
        setting: Fields of the setting; None leaves them out.
    """
    shown = {**(setting or {}), **({} if setting else machine)}
    return ', '.join(f'{name.replace("_", " ")} {value}' for name, value in shown.items())


def markdown(titles: list[str], lines: Iterable[list[str]]) -> str:
    """Return a table in Markdown.

    Args:
        titles: Titles of the columns.
        lines: Cells of each line.
    """
    rows = [titles, ['---'] * len(titles), *lines]
    return '\n'.join('| ' + ' | '.join(cells) + ' |' for cells in rows)


def _plain(value: float) -> str:
    return f'{value:,.0f}' if abs(value) >= 1000 else f'{value:.3g}'


def _number(value: float | None, factor: float = 1.0, digits: int | None = None) -> str:
    if value is None:
        return '-'
    value = factor * value
    if digits is None:
        digits = 0 if value >= 1000 else 1 if value >= 10 else 2
    return f'{value:,.{digits}f}'


def _in_units(unit: float, row: Row) -> str:
    return _number(row.seconds, 1 / unit)


def _time(row: Row) -> str:
    if row.seconds is None:
        return '-'
    unit, factor = next((unit, factor) for least, unit, factor in _UNITS if row.seconds >= least)
    return f'{_number(row.seconds, factor)} {unit}'


def _spread(row: Row) -> str:
    return _number(100 * row.spread / row.seconds, 1, 0) if row.seconds and row.spread else '-'


def _rate(row: Row) -> str:
    return _number(row.images / row.seconds, 1, 0) if row.images and row.seconds else '-'
