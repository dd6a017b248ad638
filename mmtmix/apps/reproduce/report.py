"""Tables of results in Markdown, and the same results as plain data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from .experiments import ACCURACIES, TOP1
from .paired import CONFIDENCE, PairedDifference
from .power import LEVEL, POWER
from .results import CellResult, group
from .table_statistics import RowStatistics, Share, p_value, row_statistics

MARK = '†'
"""Mark of a difference whose adjusted p-value is below 0.05, among all to one reference."""

_PRINTED = ('cell', 'printed', 'here', 'seeds', 'difference', 'what counts')
_OF_RUN = (
    *('seed', 'metrics', 'digest', 'versions', 'device', 'started', 'seconds'),
    'precision',
)


def render(results: Sequence[CellResult], headings: bool = True) -> str:
    """Return results as tables in Markdown, under a heading for each table of a paper.

    Most cells stand beside their printed figures. A row has a table of its own if it is compared
    by `against`, or has metrics other than accuracies. Below a table of differences is the
    difference that its number of seeds detects. :data:`MARK` marks differences whose adjusted
    p-value is below 0.05, among all differences to one reference. A cell that was not run is
    marked so. A printed figure never replaces a measured one.

    Args:
        results: Results of any cells.
        headings: Whether there are headings. Without them, rows have their whole names.
    """
    parts = []
    for name, of_table in group(results, 'table').items():
        parts += [f'## {name}'] if headings else []
        rows = group(of_table, 'row')
        printed = [result for result in of_table if _stands_beside_printed(result)]
        if printed:
            parts.append(_table(_PRINTED, map(_beside_printed, printed)))
        for row, of_row in rows.items():
            title = row.removeprefix(f'{name}/') if headings else row
            if of_row[0].cell.against:
                parts.append(_comparison(title, of_row))
            elif not _stands_beside_printed(of_row[0]):
                parts.append(_measures(title, of_row))
    return '\n\n'.join(parts) + '\n'


def describe(results: Sequence[CellResult]) -> list[dict[str, Any]]:
    """Return results as data for JSON, with the figures and settings of every run.

    Args:
        results: Results of any cells.
    """
    described = []
    for row in group(results, 'row').values():
        statistics = {metric: row_statistics(row, metric) for metric in row[0].cell.metrics}
        described += [_describe(result, statistics) for result in row]
    return described


def _describe(result: CellResult, statistics: Mapping[str, RowStatistics]) -> dict[str, Any]:
    """Return a cell's result as data, with its comparisons by metric."""
    column = result.cell.column
    return dict(
        id=result.cell.id,
        printed=list(result.cell.printed),
        config=result.cell.config,
        options=dict(result.cell.options),
        variants=dict(result.cell.variants),
        checkpoint=result.cell.checkpoint,
        quoted=result.cell.quoted,
        mean={metric: result.mean(metric) for metric in result.cell.metrics},
        deviation={metric: result.deviation(metric) for metric in result.cell.metrics},
        differences={
            metric: {
                name: difference
                and dict(
                    **asdict(difference),
                    p=p_value(difference),
                    adjusted_p=found.adjusted.get((column, name)),
                )
                for name, difference in found.differences[column].items()
            }
            for metric, found in statistics.items()
        },
        share_of_oracle={
            metric: share and share._asdict()
            for metric, found in statistics.items()
            for share in [found.shares.get(column)]
        },
        runs=[{name: getattr(run, name) for name in _OF_RUN} for run in result.runs],
        left_out={str(seed): reason for seed, reason in result.left_out.items()},
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return '\n'.join(f'| {" | ".join(row)} |' for row in (head, ('---',) * len(head), *rows))


def _beside_printed(result: CellResult) -> tuple[str, ...]:
    cell = result.cell
    name = cell.id.removeprefix(f'{cell.table}/')
    printed = ' / '.join(f'{figure:g}' for figure in cell.printed) or '-'
    here = _here(result, ACCURACIES)
    if cell.quoted:
        return name, printed, here, '-', '-', '-'
    distances = [
        f'{mean - figure:+.2f}'
        for metric, figure in zip(ACCURACIES, cell.printed, strict=False)
        if (mean := result.mean(metric)) is not None
    ]
    return name, printed, here, _seeds(result), ' / '.join(distances) or '-', cell.checkpoint


def _stands_beside_printed(result: CellResult) -> bool:
    return not result.cell.against and result.cell.metrics == ACCURACIES


def _measures(name: str, row: Sequence[CellResult]) -> str:
    """Return a table of a row's cells with a column for each metric."""
    metrics = row[0].cell.metrics
    head = [f'{name} ({row[0].cell.checkpoint})', *metrics, 'seeds']
    lines = [
        [result.cell.column, *(_here(result, (metric,)) for metric in metrics), _seeds(result)]
        for result in row
    ]
    return _table(head, lines)


def _comparison(name: str, row: Sequence[CellResult]) -> str:
    """Return a table of a row's cells with their differences, and the statistics of its seeds."""
    cell = row[0].cell
    columns = {result.cell.column for result in row}
    against = [name for name in cell.against if name in columns]
    found = row_statistics(row)
    head = [name, f'top-1 ({cell.checkpoint})', 'seeds']
    head += [f'difference to {name} [{CONFIDENCE:.0%}]' for name in against]
    if has_shares := cell.oracle in columns and bool(against):
        head.append(f"share of {cell.oracle}'s gain over {against[0]} [{CONFIDENCE:.0%}]")
    lines = []
    for result in row:
        column = result.cell.column
        shown = [
            _difference(
                found.differences[column].get(name),
                len(result.runs),
                found.adjusted.get((column, name), 1.0) < LEVEL,
            )
            for name in against
        ]
        shown += [_share(found.shares.get(column))] if has_shares else []
        lines.append([column, _here(result, (TOP1,)), _seeds(result), *shown])
    table = _table(head, lines)
    return f'{table}\n\n{_can_tell(found)}' if found.power else table


def _difference(found: PairedDifference | None, runs: int, is_discovery: bool) -> str:
    """Return a difference and its interval, bold if it excludes zero, with a mark if it holds."""
    if found is None:
        return '-'
    text = _signed(found.mean)
    if found.low is not None and found.high is not None:
        interval = f'[{_signed(found.low)}, {_signed(found.high)}]'
        text += f' **{interval}**' if found.excludes_zero else f' {interval}'
    text += MARK if is_discovery else ''
    count = len(found.by_seed)
    return text if count == runs else f'{text} ({count} {"pair" if count == 1 else "pairs"})'


def _share(found: Share | None) -> str:
    """Return a share of a gain and its interval in percent."""
    if found is None:
        return '-'
    value, low, high = (f'{100 * each + 0.0:.0f}' for each in found)
    return f'{value} % [{low}, {high}]'


def _can_tell(found: RowStatistics) -> str:
    """Return what a table detects, and what its mark stands for."""
    power = found.power
    assert power is not None  # the caller leaves the sentence out
    fewest = ' (the fewest here)' if power.is_fewest else ''
    text = (
        f'{power.pairs} pairs of seeds{fewest} detect a difference of {power.detectable:.2f} '
        f'points with {100 * POWER:.0f} % power (paired t-test at {100 * LEVEL:.0f} %, pooled SD '
        f'{power.deviation:.2f}).'
    )
    if any(value < LEVEL for value in found.adjusted.values()):
        text += (
            f' {MARK}: adjusted p < {LEVEL:g} among the differences to one reference '
            '(Benjamini-Hochberg).'
        )
    return text


def _signed(value: float) -> str:
    return f'{round(value, 2) + 0.0:+.2f}'  # no minus before a zero


def _here(result: CellResult, metrics: Sequence[str]) -> str:
    """Return the measured means, or the reason why there are none."""
    if result.cell.quoted:
        return f'quoted only: {result.cell.quoted}'
    if not result.runs:
        reason = _left_out(result)
        return f'not run ({reason})' if reason else 'not run'
    figures = [_figure(result, metric) for metric in metrics if result.values(metric)]
    return ' / '.join(figures) or '-'


def _seeds(result: CellResult) -> str:
    notes = [_left_out(result)] if result.runs and result.left_out else []
    counts = Counter(result.precisions.values())
    if len(counts) > 1:  # those of different precisions are not compared
        notes.insert(0, ', '.join(f'{count} in {name}' for name, count in sorted(counts.items())))
    return f'{len(result.runs)} ({"; ".join(notes)})' if notes else str(len(result.runs))


def _left_out(result: CellResult) -> str:
    seeds: dict[str, list[int]] = {}
    for seed, reason in result.left_out.items():
        seeds.setdefault(reason, []).append(seed)
    return '; '.join(
        f'seed{"s" * (len(group) > 1)} {", ".join(map(str, group))} {reason}'
        for reason, group in seeds.items()
    )


def _figure(result: CellResult, metric: str) -> str:
    mean, deviation = result.mean(metric), result.deviation(metric)
    return f'{mean:.2f}' if deviation is None else f'{mean:.2f} ± {deviation:.2f}'
