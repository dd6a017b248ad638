"""Listing, recording and reporting of the results of cells."""

from __future__ import annotations

import argparse
import json
import sys

from mmtmix.apps.reproduce import (
    Cell,
    CellResult,
    RunResult,
    collect_results,
    describe,
    merge_records,
    plot_tables,
    read_records,
    recorded_results,
    render,
    write_records,
)
from mmtmix.utils import atomic_path


def results_of(cells: list[Cell], args: argparse.Namespace) -> list[CellResult]:
    """Return the results of cells, from the results file or from the folders of runs.

    Args:
        cells: Cells of an experiments file.
        args: Arguments of the command, with ``results``, ``root`` and ``gpus``.
    """
    if args.results:
        records = read_records(args.results)
        return [recorded_or_none(cell, records, args.gpus) for cell in cells]
    return [collect_results(cell, args.root, args.gpus) for cell in cells]


def recorded_or_none(cell: Cell, records: list[RunResult], gpus: int = 1) -> CellResult:
    """Return the recorded result of a cell; an empty one if its config is faulty, with a message.

    Args:
        cell: Cell of an experiments file.
        records: Recorded runs of any cells.
        gpus: Number of processes per run, >= 1.
    """
    try:
        return recorded_results(cell, records, gpus)
    except (FileNotFoundError, ValueError) as error:
        print(f'{cell.id}: {error}', file=sys.stderr)
        return CellResult(cell)


def print_list(results: list[CellResult]) -> None:
    """Print one line per cell.

    Args:
        results: Results of the cells.
    """
    for result in results:
        cell = result.cell
        printed = ' / '.join(f'{figure:g}' for figure in cell.printed) or '-'
        if cell.quoted:
            state = f'quoted only: {cell.quoted}'
        else:
            state = f'{len(result.runs)} runs, {cell.config}'
        print(f'{cell.id:60} {printed:>13}  {state}')


def export(cells: list[Cell], args: argparse.Namespace) -> None:
    """Add finished runs to a file of records.

    Args:
        cells: Cells of an experiments file.
        args: Arguments of the subcommand ``export``.
    """
    recorded = read_records(args.results) if args.results.is_file() else []
    if args.recorded:
        found = [run for path in args.recorded for run in read_records(path)]
        results = [recorded_or_none(cell, found, args.gpus) for cell in cells]
    else:
        results = [collect_results(cell, args.root, args.gpus) for cell in cells]
    for result in results:
        for seed, reason in result.left_out.items():
            print(f'{result.cell.id}, seed {seed}: left out, {reason}')
    merged = merge_records(recorded, [run for result in results for run in result.runs])
    for run in merged.refused:
        print(
            f'{run.config}, seed {run.seed}: recorded before with other figures, which stay; now '
            f'{dict(run.metrics)}'
        )
    write_records(merged.records, args.results)
    print(
        f'{args.results}: {len(merged.records)} runs, {merged.new} of them new, {merged.replaced} '
        'in place of one made with another config'
    )


def write_report(cells: list[Cell], args: argparse.Namespace) -> None:
    """Print the tables; with ``--out`` write them, the plots and the data.

    Args:
        cells: Cells of an experiments file.
        args: Arguments of the subcommand ``report``.
    """
    results = results_of(cells, args)
    text = render(results)
    print(text)
    if args.out is None:
        return
    args.out.mkdir(parents=True, exist_ok=True)
    data = json.dumps(describe(results), indent=1) + '\n'
    for name, content in (('report.md', text), ('report.json', data)):
        with atomic_path(args.out / name) as temporary:
            temporary.write_text(content, encoding='utf-8')
    plot_tables(results, args.out)
