"""Results beside the printed figures, as Markdown and as plain data."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from .results import METRICS, CellResult

_HEAD = ('cell', 'printed', 'here', 'seeds', 'difference', 'what counts')


def render(results: Sequence[CellResult]) -> str:
    """Tables, one a table of a paper, as Markdown.

    A cell that wasn't run says so; a printed figure never stands in for a measured one.
    """
    tables: dict[str, list[CellResult]] = {}
    for result in results:
        tables.setdefault(result.cell.table, []).append(result)
    parts = [_table(name, of_table) for name, of_table in tables.items()]
    return '\n\n'.join(parts) + '\n'


def describe(results: Iterable[CellResult]) -> list[dict[str, Any]]:
    """The same as data that JSON can hold, with the figures and settings of every run."""
    return [
        dict(
            id=result.cell.id,
            printed=list(result.cell.printed),
            config=result.cell.config,
            options=dict(result.cell.options),
            env=dict(result.cell.env),
            checkpoint=result.cell.checkpoint,
            quoted=result.cell.quoted,
            mean={metric: result.mean(metric) for metric in METRICS},
            deviation={metric: result.deviation(metric) for metric in METRICS},
            runs=[
                dict(seed=run.seed, metrics=dict(run.metrics), **_without_seed(run.record))
                for run in result.runs
            ],
            left_out={str(seed): why for seed, why in result.left_out.items()},
        )
        for result in results
    ]


def _table(name: str, results: Sequence[CellResult]) -> str:
    rows = [_HEAD, ('---',) * len(_HEAD), *map(_row, results)]
    lines = [f'| {" | ".join(row)} |' for row in rows]
    return '\n'.join([f'## {name}', '', *lines])


def _row(result: CellResult) -> tuple[str, ...]:
    cell = result.cell
    name = cell.id.removeprefix(f'{cell.table}/')
    printed = ' / '.join(f'{figure:g}' for figure in cell.printed) or '-'
    if cell.quoted:
        return name, printed, f'quoted only: {cell.quoted}', '-', '-', '-'
    why = '; '.join(f'seed {seed} {state}' for seed, state in result.left_out.items())
    if not result.runs:
        return name, printed, f'not run ({why})' if why else 'not run', '0', '-', cell.checkpoint
    here = ' / '.join(_figure(result, metric) for metric in METRICS if result.values(metric))
    differences = [
        f'{result.mean(metric) - figure:+.2f}'
        for metric, figure in zip(METRICS, cell.printed, strict=False)
        if result.values(metric)
    ]
    return (
        name,
        printed,
        here,
        f'{len(result.runs)} ({why})' if why else str(len(result.runs)),
        ' / '.join(differences) or '-',
        cell.checkpoint,
    )


def _figure(result: CellResult, metric: str) -> str:
    mean, deviation = result.mean(metric), result.deviation(metric)
    return f'{mean:.2f}' if deviation is None else f'{mean:.2f} ± {deviation:.2f}'


def _without_seed(record: Any) -> dict[str, Any]:
    kept = ('digest', 'versions', 'device', 'started', 'seconds')
    return {name: record[name] for name in kept if name in record}
