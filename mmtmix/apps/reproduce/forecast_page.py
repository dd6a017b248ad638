"""Tables of a forecast, and a hand-written page whose blocks hold them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from .forecast_example import example_text

_BLOCK = re.compile(
    r'^(?P<start><!-- scale: (?P<name>\w+) -->)\n(?P<content>.*?)^(?P<end><!-- end -->)$',
    re.MULTILINE | re.DOTALL,
)
_BAR = 40  # characters


def fill_scale_page(text: str, record: Mapping[str, Any]) -> str:
    """Return a page with its blocks filled.

    A block stands between ``<!-- scale: NAME -->`` and ``<!-- end -->``. NAME is one of
    :data:`TABLES`.

    Args:
        text: Text of the page.
        record: Content of a file of ``mmtmix reproduce plan``.

    Raises:
        ValueError: If a block is not closed, its name is unknown, or the record lacks its figures.
    """
    if len(_BLOCK.findall(text)) != text.count('<!-- scale: '):
        raise ValueError('a block <!-- scale: ... --> of the page is not closed by <!-- end -->')

    def write(match: re.Match) -> str:
        if match['name'] not in TABLES:
            raise ValueError(
                f'a block of scale is one of {", ".join(TABLES)}, not {match["name"]!r}'
            )
        return f'{match["start"]}\n{TABLES[match["name"]](record)}\n{match["end"]}'

    return _BLOCK.sub(write, text)


def forecast_text(record: Mapping[str, Any]) -> str:
    """Return what ``mmtmix reproduce plan`` prints.

    Args:
        record: Content of its file.
    """
    shown = [name for name in TABLES if name not in ('example', 'figures', 'loaders')]
    return '\n\n'.join(TABLES[name](record) for name in shown)


def _table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    lines = [head, ['---'] * len(head), *([str(cell) for cell in row] for row in rows)]
    return '\n'.join(f'| {" | ".join(line)} |' for line in lines)


def _hours(value: float) -> str:
    return f'{value:,.0f}' if value >= 100 else f'{value:.3g}'


def _total(record: Mapping[str, Any]) -> str:
    plan = record['forecast']
    stages = plan['jobs'] - plan['runs']
    gpus = '' if plan['gpus'] == 1 else f', {plan["gpus"]} GPUs for each long job'
    return (
        f'{plan["runs"]} runs of {plan["experiments"]} experiments and {stages} required stages, '
        f'on {plan["about"]}{gpus}: {_hours(plan["hours"])} GPU hours. '
        f'The longest chain takes {_hours(plan["longest"])} hours.'
    )


def _shares(name: str, head: str) -> Callable[[Mapping[str, Any]], str]:
    def show(record: Mapping[str, Any]) -> str:
        plan = record['forecast']
        total = plan['hours'] or 1.0
        rows = (
            (key, _hours(each), f'{100 * each / total:.1f}') for key, each in plan[name].items()
        )
        return _table((head, 'GPU hours', '%'), rows)

    return show


def _path(record: Mapping[str, Any]) -> str:
    rows = ((f'`{key}`', _hours(hours)) for key, hours in record['forecast']['path'])
    return _table(('job', 'hours'), rows)


def _courses(record: Mapping[str, Any]) -> str:
    head = (
        'GPUs',
        'lower bound (h)',
        'makespan (h)',
        'ratio',
        'busy (%)',
        'in order: ratio',
        'misjudged: ratio',
    )
    rows = []
    for each in record['forecast']['courses']:
        bound = each['bound'] or 1.0
        rows.append(
            (
                each['workers'],
                _hours(each['bound']),
                _hours(each['makespan']),
                f'{each["ratio"]:.3f}',
                f'{100 * each["utilisation"]:.0f}',
                f'{each["fifo"] / bound:.3f}',
                f'{each["misjudged"] / bound:.3f}',
            )
        )
    return _table(head, rows)


def _curve(record: Mapping[str, Any]) -> str:
    """Return the speed-up against one GPU as bars, whose length is logarithmic."""
    plan, lines = record['forecast'], []
    for each in plan['courses']:
        speedup = plan['hours'] / each['makespan'] if each['makespan'] else 1.0
        length = 1 + round(_BAR * math.log2(max(speedup, 1)) / 8)  # 8 doublings make 256
        lines.append(f'{each["workers"]:4} {"#" * length} {speedup:.1f}')
    return '\n'.join(['```', 'GPUs, and times faster than one', *lines, '```'])


def _what_if(record: Mapping[str, Any]) -> str:
    head = (
        'case',
        'GPU hours',
        'waiting for images (h)',
        'longest chain (h)',
        'makespan (h)',
        'bound (h)',
        'ratio',
    )
    rows = [
        (
            each['case'],
            _hours(each['hours']),
            _hours(each['waiting']),
            _hours(each['longest']),
            _hours(each['makespan']),
            _hours(each['bound']),
            f'{each["ratio"]:.3f}',
        )
        for each in record['what_if']
    ]
    return _table(head, rows)


def _sets(record: Mapping[str, Any]) -> str:
    head = (
        'set',
        'GPUs',
        'reading (h)',
        'mixing (h)',
        'encoding (h)',
        'writing (h)',
        'GB',
        'shards per process',
        'total (h)',
        'limited by',
    )
    rows = [
        (
            f'`{each["set"]}`',
            each['gpus'],
            *(f'{each[name]:.2g}' for name in ('reading', 'mixing', 'encoding', 'writing')),
            _hours(each['gigabytes']),
            each['rounds'],
            f'{each["hours"]:.2g}',
            each['slowest'],
        )
        for each in record['sets']
    ]
    return _table(head, rows)


def _checks(record: Mapping[str, Any]) -> str:
    rows = (
        (
            each['device'],
            each['name'],
            f'{1e3 * each["measured"]:.3g}',
            f'{1e3 * each["predicted"]:.3g}',
            f'{100 * (each["predicted"] / each["measured"] - 1):+.0f}',
            f'`{each["source"]}`',
        )
        for each in record['checks']
    )
    return _table(
        ('device', 'step', 'measured (ms)', 'predicted (ms)', 'error (%)', 'record'), rows
    )


def _figures(record: Mapping[str, Any]) -> str:
    rows = (
        (f'`{name}`', f'{value:.4g}', basis, source)
        for name, (value, basis, source) in record['figures'].items()
    )
    return _table(('figure', 'value', 'basis', 'source'), rows)


def _loaders(record: Mapping[str, Any]) -> str:
    rows = (
        (name, f'{1 / seconds:,.0f}') for name, seconds in record['loaders'].items() if seconds
    )
    return _table(('work of one process', 'images/s'), rows)


TABLES: dict[str, Callable[[Mapping[str, Any]], str]] = {
    'total': _total,
    'example': lambda record: example_text(record['example']),
    'tables': _shares('tables', 'table'),
    'methods': _shares('methods', 'method'),
    'parts': _shares('parts', 'part'),
    'path': _path,
    'courses': _courses,
    'curve': _curve,
    'what_if': _what_if,
    'sets': _sets,
    'checks': _checks,
    'figures': _figures,
    'loaders': _loaders,
}
"""Functions that write a table of a record, by the name of a block."""
