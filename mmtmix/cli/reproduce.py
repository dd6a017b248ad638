"""Reproduce printed figures: list them, show their commands, run them, record them, report.

A cell is named paper/table/row/column, such as transformmix/2/wrn28x10_cifar100/mixup. The
beginning of a name stands for all below it, and * for any part. Runs on several GPUs are kept
apart from others.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .jobs import add_jobs, check_jobs

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

_CELL = 'cell such as transformmix/2/wrn28x10_cifar100/mixup, or the beginning of its name'
_BEGUN = f'{_CELL}; by default those that were begun or submitted'
_RESULTS: dict[str, Any] = dict(type=Path, help='file of the runs, in place of --root')
EXAMPLE = 'run transformmix/2/wrn28x10_cifar100/mixup --seeds 3'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands and their arguments."""
    parser.add_argument(
        '--experiments', default='configs/experiments.yaml', help='file of the cells'
    )
    parser.add_argument('--root', default='work_dirs/reproduce', help='folder of all runs')
    commands = parser.add_subparsers(dest='action', required=True)
    made = [
        _add_list(commands),
        *_add_runs(commands),
        _add_report(commands),
        _add_export(commands),
        _add_plan(commands),
    ]
    for each in made:
        each.add_argument('--gpus', type=int, default=1, help='processes per run')


def _add_list(commands: Commands) -> argparse.ArgumentParser:
    listing = commands.add_parser(
        'list', help='cells, printed figures and the state of their runs'
    )
    listing.add_argument('--table', nargs='+', default=['*'], metavar='PART', help='such as */2')
    listing.add_argument('--results', **_RESULTS)
    return listing


def _add_runs(commands: Commands) -> list[argparse.ArgumentParser]:
    """Add what shows and starts runs."""
    show = commands.add_parser('show', help='the exact commands of a cell')
    show.add_argument('cells', nargs='+', metavar='CELL', help=_CELL)
    show.add_argument(
        '--out', type=Path, metavar='FILE', help='file for the commands, one per line'
    )

    run = commands.add_parser('run', help='run what is missing, and continue what was interrupted')
    run.add_argument('cells', nargs='+', metavar='CELL', help=_CELL)
    run.add_argument('--dry-run', action='store_true', help='only print the commands')
    run.add_argument('--results', type=Path, help='skip the runs that this file holds')

    status = commands.add_parser(
        'status', help='state of all jobs: what runs, waits, is done and has failed'
    )
    status.add_argument('cells', nargs='*', metavar='CELL', help=_BEGUN)
    status.add_argument('--watch', type=float, metavar='SECONDS', help='renew the table')

    retry = commands.add_parser(
        'retry', help='start again what failed or was interrupted, and what needs that'
    )
    retry.add_argument('cells', nargs='*', metavar='CELL', help=_BEGUN)
    retry.add_argument('--dry-run', action='store_true', help='only print the commands')
    for each in (run, retry):
        add_jobs(each)
    for each in (show, run, status, retry):
        each.add_argument(
            '--seeds',
            type=int,
            help='number of seeds, from 0; by default the seeds that count, or three',
        )
        each.add_argument('--seed', type=int, nargs='+', help='seeds to run, in place of --seeds')
    return [show, run, status, retry]


def _add_report(commands: Commands) -> argparse.ArgumentParser:
    report = commands.add_parser('report', help='measured figures beside printed ones')
    report.add_argument('cells', nargs='*', default=['*'], metavar='CELL', help=_CELL)
    report.add_argument('--out', type=Path, help='folder for report.md, report.json and plots')
    report.add_argument('--results', **_RESULTS)
    return report


def _add_export(commands: Commands) -> argparse.ArgumentParser:
    export = commands.add_parser('export', help='add finished runs to a file')
    export.add_argument('cells', nargs='*', default=['*'], metavar='CELL', help=_CELL)
    export.add_argument(
        '--out',
        '--results',
        dest='results',
        type=Path,
        required=True,
        help='file to add them to, such as results/runs.jsonl',
    )
    export.add_argument(
        '--recorded',
        type=Path,
        nargs='+',
        default=[],
        metavar='FILE',
        help='files of runs made elsewhere, which are added in place of those in --root',
    )
    return export


def _add_plan(commands: Commands) -> argparse.ArgumentParser:
    plan = commands.add_parser('plan', help='GPU hours and makespans, estimated beforehand')
    plan.add_argument('cells', nargs='*', default=['*'], metavar='CELL', help=_CELL)
    plan.add_argument(
        '--workers', type=int, nargs='+', help='numbers of GPUs; by default 1 to 256'
    )
    plan.add_argument('--device', default='h200', help='device of the file of costs')
    plan.add_argument('--costs', type=Path, help='YAML file with other costs, by their names')
    plan.add_argument('--seeds', type=int, help='number of seeds; by default those of the cells')
    plan.add_argument(
        '--wide-hours', type=float, default=24.0, help='a job of more hours uses --gpus GPUs'
    )
    plan.add_argument(
        '--recorded', action='store_true', help='take the seconds of finished runs below --root'
    )
    plan.add_argument('--out', type=Path, help='JSON file to write')
    plan.add_argument('--page', type=Path, help='page whose blocks to fill')
    return plan


def check(args: argparse.Namespace, parser: argparse.ArgumentParser) -> None:
    """Keep runs on several GPUs apart, and refuse arguments that have no effect together."""
    if args.action in ('run', 'retry'):
        check_jobs(args, parser)
    if args.gpus > 1:
        args.root = f'{args.root}_{args.gpus}gpus'
