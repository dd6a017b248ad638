"""List, show, run, record and report the runs that reproduce printed figures."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path

import mmtmix
from mmtmix.apps.reproduce import (
    Cell,
    Run,
    choose_cells,
    read_experiments,
    read_records,
    runs_of,
)
from mmtmix.apps.reproduce.plan_command import check_plan, plan
from mmtmix.checks import check_integer
from mmtmix.engine.resuming import command_again
from mmtmix.program import program
from mmtmix.utils import (
    atomic_path,
    check_output_file,
    check_output_folder,
    resolve_config,
    stoppable,
)

from .evaluations import evaluate_runs, suites_of
from .launch import begun, report, retry_grid, run_grid, show_grid
from .results_command import export, print_list, recorded_or_none, results_of, write_report

TOOLS = (Path(mmtmix.__file__).parent / '.mim' / 'tools').resolve()


def check_args(args: argparse.Namespace) -> None:
    """Refuse numbers out of range and places that cannot be written, before any work.

    Args:
        args: Arguments of :mod:`mmtmix.cli.reproduce`.

    Raises:
        OSError: If a file or folder cannot be written.
        ValueError: If a number is out of its range.
    """
    check_integer('--gpus', args.gpus, 1)
    if args.action in ('show', 'run', 'status', 'retry'):
        if args.seeds is not None:
            check_integer('--seeds', args.seeds, 1)
        for seed in args.seed or ():
            check_integer('--seed', seed, 0)
    if args.action == 'show' and args.out is not None:
        check_output_file('--out', args.out)
    if args.action in ('run', 'retry') and not args.dry_run:
        check_output_folder('--root', args.root)
    elif args.action == 'report' and args.out is not None:
        check_output_folder('--out', args.out)
    elif args.action == 'export':
        check_output_file('--results', args.results)
    elif args.action == 'plan':
        check_plan(args)


def run_cells(cells: list[Cell], args: argparse.Namespace) -> int:
    """Show or run the runs of cells, or their state, and return the exit status.

    Args:
        cells: Cells of an experiments file.
        args: Arguments of the subcommand ``show``, ``run``, ``status`` or ``retry``.
    """
    seeds = tuple(args.seed) if args.seed else args.seeds
    wanted = [cell for cell in cells if not cell.quoted]
    for cell in cells:
        if cell.quoted and args.cells:
            print(f'{cell.id} is only quoted: {cell.quoted}', file=sys.stderr)
    if args.action == 'show':
        show(wanted, seeds, args)
        return 0
    if args.action in ('status', 'retry'):
        found = [run for cell in wanted for run in runs_of(cell, seeds, args.root, args.gpus)]
        found = found if args.cells else begun(found, args.root)
        if args.action == 'retry':
            return 0 if retry_grid(found, TOOLS, args) else 1
        show_grid(found, args)
        return 0
    runs, others = unrecorded(wanted, seeds, args)
    if others and not runs:
        raise others[0]
    for error in others:
        print(error, file=sys.stderr)
    is_done = run_grid(runs, TOOLS, args) and not others
    if args.submit != 'slurm':
        is_done = _evaluate(wanted, runs, args) and is_done
    return 0 if is_done else 1


def _evaluate(cells: list[Cell], runs: list[Run], args: argparse.Namespace) -> bool:
    """Evaluate the runs of cells that count figures of suites; return whether all are there."""
    pairs = []
    for cell in cells:
        if suites_of(cell):
            of_cell = {run.experiment for run in runs_of(cell, None, args.root, args.gpus)}
            pairs += [(run, cell) for run in dict.fromkeys(runs) if run.experiment in of_cell]
    return evaluate_runs(pairs, TOOLS, report, args.dry_run)


def show(cells: list[Cell], seeds: int | tuple[int, ...] | None, args: argparse.Namespace) -> None:
    """Print one command line per run and nothing else, or write them into a file.

    Args:
        cells: Cells of an experiments file, none of them only quoted.
        seeds: Number of seeds or their list; None takes the default of each cell.
        args: Arguments of the subcommand ``show``.
    """
    runs = [run for cell in cells for run in runs_of(cell, seeds, args.root, args.gpus)]
    lines = [command_line(run) for run in dict.fromkeys(runs)]  # cells may share runs
    if args.out is None:
        for line in lines:
            print(line)
        return
    with atomic_path(args.out) as temporary:
        temporary.write_text(''.join(f'{line}\n' for line in lines), encoding='utf-8')
    print(f'{args.out} holds the commands of {len(lines)} runs', file=sys.stderr)


def command_line(run: Run) -> str:
    """Return the command line of a run, in the form in which this process was started.

    Args:
        run: Run to show.
    """
    words = run.command(TOOLS)
    if words[0] != 'python':
        return shlex.join(words)
    return f'{program("train")} {shlex.join(words[2:])}'


def unrecorded(
    cells: list[Cell], seeds: int | tuple[int, ...] | None, args: argparse.Namespace
) -> tuple[list[Run], list[ValueError]]:
    """Return the runs that the results file, if one is given, does not hold.

    Args:
        cells: Cells of an experiments file.
        seeds: Number of seeds or their list; None takes the default of each cell.
        args: Arguments of the subcommand ``run``.

    Returns:
        The runs, and an error for each cell that does not allow these seeds.
    """
    records = read_records(args.results) if args.results else []
    missing: list[Run] = []
    recorded: list[Run] = []
    errors: list[ValueError] = []
    for cell in cells:
        try:
            runs = runs_of(cell, seeds, args.root, args.gpus)
        except ValueError as error:
            errors.append(error)
            continue
        done = {result.seed for result in recorded_or_none(cell, records, args.gpus).runs}
        for run in runs:
            (recorded if run.seed in done else missing).append(run)
    for run in dict.fromkeys(recorded):
        if run not in missing:  # cells that share a run may need different metrics
            print(f'{run.folder}: recorded before')
    return missing, errors


def run(args: argparse.Namespace) -> int:
    """Run the subcommand that was parsed and return the exit status.

    Args:
        args: Arguments of :mod:`mmtmix.cli.reproduce`.

    Raises:
        FileNotFoundError: If the file of experiments, or one of results, does not exist.
        ValueError: If a cell is unknown, or an argument is out of its range.
    """
    again = command_again('reproduce', args.argv)
    with stoppable(lambda: f'finished runs and checkpoints are in {args.root}; to go on: {again}'):
        return act(args)


def act(args: argparse.Namespace) -> int:
    """Run the subcommand and return the exit status.

    Args:
        args: Arguments of :mod:`mmtmix.cli.reproduce`.
    """
    check_args(args)
    cells = read_experiments(resolve_config(args.experiments))
    names = args.table if args.action == 'list' else args.cells
    chosen = choose_cells(cells, names or ['*'])
    if args.action == 'list':
        print_list(results_of(chosen, args))
    elif args.action == 'report':
        write_report(chosen, args)
    elif args.action == 'export':
        export(chosen, args)
    elif args.action == 'plan':
        plan(chosen, args)
    else:
        return run_cells(chosen, args)
    return 0
