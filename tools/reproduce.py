"""Reproduce printed figures: list them, show their commands, run them, record them, report.

A cell is named paper/table/row/column, such as transformmix/2/wrn28x10_cifar100/mixup; the
beginning of a name stands for all below it, and * for any part. Runs on several GPUs are kept
apart from others.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from pathlib import Path

from mmtmix.apps.reproduce import (
    Cell,
    CellResult,
    Run,
    RunResult,
    choose_cells,
    collect_results,
    describe,
    execute,
    merge_records,
    plot_tables,
    read_experiments,
    read_records,
    recorded_results,
    render,
    runs_of,
    write_records,
)
from mmtmix.checks import check_integer
from mmtmix.engine.resuming import command_again
from mmtmix.utils import (
    CommandParser,
    atomic_path,
    check_output_file,
    check_output_folder,
    resolve_config,
    run_command,
    stoppable,
)

TOOLS = Path(__file__).resolve().parent


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """The command and its arguments."""
    parser = CommandParser(description=__doc__)
    parser.add_argument('--experiments', default='configs/experiments.yaml', help='the cells')
    parser.add_argument('--root', default='work_dirs/reproduce', help='folder of all runs')
    commands = parser.add_subparsers(dest='command', required=True)

    listing = commands.add_parser('list', help='cells, printed figures and how far they are')
    listing.add_argument('--table', nargs='+', default=['*'], metavar='PART', help='such as */2')

    show = commands.add_parser('show', help='the exact commands of a cell')
    show.add_argument('cells', nargs='+', metavar='CELL')

    run = commands.add_parser('run', help='run what is missing, go on with what was broken off')
    run.add_argument('cells', nargs='+', metavar='CELL')
    run.add_argument('--dry-run', action='store_true', help='only print the commands')
    run.add_argument('--results', type=Path, help='skip the runs that this file holds')
    for each in (show, run):
        each.add_argument(
            '--seeds', type=int, help='how many, from 0; by default those that count, or three'
        )
        each.add_argument('--seed', type=int, nargs='+', help='which, in place of how many')

    report = commands.add_parser('report', help='what was run beside what is printed')
    report.add_argument('cells', nargs='*', default=['*'], metavar='CELL')
    report.add_argument('--out', type=Path, help='folder for report.md, report.json and plots')
    for each in (listing, report):
        each.add_argument('--results', type=Path, help='file of the runs, in place of --root')

    export = commands.add_parser('export', help='add finished runs to a file')
    export.add_argument('cells', nargs='*', default=['*'], metavar='CELL')
    export.add_argument('--results', type=Path, required=True, help='such as results/runs.jsonl')
    for each in (listing, show, run, report, export):
        each.add_argument('--gpus', type=int, default=1, help='processes a run')
    args = parser.parse_args(argv)
    if args.gpus > 1:
        args.root = f'{args.root}_{args.gpus}gpus'
    return args


def check_args(args: argparse.Namespace) -> None:
    """Refuse numbers out of range, and places that cannot be written, before any work.

    Raises:
        OSError: If something is to be written where it cannot be.
        ValueError: If a number is out of its range.
    """
    check_integer('--gpus', args.gpus, 1)
    if args.command in ('show', 'run'):
        if args.seeds is not None:
            check_integer('--seeds', args.seeds, 1)
        for seed in args.seed or ():
            check_integer('--seed', seed, 0)
    if args.command == 'run' and not args.dry_run:
        check_output_folder('--root', args.root)
    elif args.command == 'report' and args.out is not None:
        check_output_folder('--out', args.out)
    elif args.command == 'export':
        check_output_file('--results', args.results)


def results_of(cells: list[Cell], args: argparse.Namespace) -> list[CellResult]:
    """Return what cells came to, by the results file or by the folders of runs."""
    if args.results:
        records = read_records(args.results)
        return [recorded_or_none(cell, records) for cell in cells]
    return [collect_results(cell, args.root) for cell in cells]


def recorded_or_none(cell: Cell, records: list[RunResult]) -> CellResult:
    """Return what is recorded of a cell; of a faulty config print why, and return nothing."""
    try:
        return recorded_results(cell, records)
    except (FileNotFoundError, ValueError) as error:
        print(f'{cell.id}: {error}', file=sys.stderr)
        return CellResult(cell)


def print_list(results: list[CellResult]) -> None:
    """A line a cell."""
    for result in results:
        cell = result.cell
        printed = ' / '.join(f'{figure:g}' for figure in cell.printed) or '-'
        if cell.quoted:
            state = f'quoted only: {cell.quoted}'
        else:
            state = f'{len(result.runs)} runs, {cell.config}'
        print(f'{cell.id:60} {printed:>13}  {state}')


def run_cells(cells: list[Cell], args: argparse.Namespace) -> int:
    """Show or run the runs of cells; returns the exit status."""
    seeds = tuple(args.seed) if args.seed else args.seeds
    wanted = [cell for cell in cells if not cell.quoted]
    for cell in cells:
        if cell.quoted:
            print(f'{cell.id} is only quoted: {cell.quoted}')
    if args.command == 'run':
        runs, others = unrecorded(wanted, seeds, args)
        if others and not runs:
            raise others[0]
        for error in others:
            print(error, file=sys.stderr)
        return 1 if execute(runs, TOOLS, args.gpus, args.dry_run) or others else 0
    for run in (run for cell in wanted for run in runs_of(cell, seeds, args.root)):
        for line in run.before:
            print(line)
        print(shlex.join(run.command('tools', args.gpus)))
    return 0


def unrecorded(
    cells: list[Cell], seeds: int | tuple[int, ...] | None, args: argparse.Namespace
) -> tuple[list[Run], list[ValueError]]:
    """Return the runs that the results file, if there is one, doesn't hold.

    Returns:
        The runs, and an error for each cell that is not for these seeds.
    """
    records = read_records(args.results) if args.results else []
    missing, recorded, errors = [], [], []
    for cell in cells:
        try:
            runs = runs_of(cell, seeds, args.root)
        except ValueError as error:
            errors.append(error)
            continue
        known = {result.seed for result in recorded_or_none(cell, records).runs}
        for run in runs:
            (recorded if run.seed in known else missing).append(run)
    for run in dict.fromkeys(recorded):
        if run not in missing:  # cells that share a run may want different accuracies of it
            print(f'{run.folder}: recorded before')
    return missing, errors


def export(cells: list[Cell], args: argparse.Namespace) -> None:
    """Add finished runs to a file."""
    recorded = read_records(args.results) if args.results.is_file() else []
    results = [collect_results(cell, args.root) for cell in cells]
    for result in results:
        for seed, why in result.left_out.items():
            print(f'{result.cell.id}, seed {seed}: left out, {why}')
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
    """Print the tables, and write them with plots and data."""
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


def main(argv: list[str] | None = None) -> int:
    """Run the subcommand that was parsed; returns the exit status."""
    argv = sys.argv[1:] if argv is None else argv
    args = parse_args(argv)
    again = command_again(__file__, argv)
    with stoppable(lambda: f'finished runs and checkpoints are in {args.root}; to go on: {again}'):
        return act(args)


def act(args: argparse.Namespace) -> int:
    """Run the subcommand; returns the exit status."""
    check_args(args)
    cells = read_experiments(resolve_config(args.experiments))
    names = args.table if args.command == 'list' else args.cells
    chosen = choose_cells(cells, names)
    if args.command == 'list':
        print_list(results_of(chosen, args))
    elif args.command == 'report':
        write_report(chosen, args)
    elif args.command == 'export':
        export(chosen, args)
    else:
        return run_cells(chosen, args)
    return 0


if __name__ == '__main__':
    sys.exit(run_command(main, __file__))
