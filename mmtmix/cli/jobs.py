"""Arguments for several jobs at a time, on this machine and on a cluster."""

from __future__ import annotations

import argparse


def add_jobs(parser: argparse.ArgumentParser) -> None:
    """Add ``--jobs``, ``--submit`` and what jobs on a cluster are given.

    Args:
        parser: Parser of a command.
    """
    group = parser.add_argument_group('several jobs at a time')
    group.add_argument(
        '--jobs',
        type=int,
        help='number of jobs at a time on this machine, each with its share of the cores or GPUs '
        'of its own; by default one, with its output here',
    )
    group.add_argument(
        '--submit',
        choices=('slurm', 'local'),
        help='submit the jobs by submitit, which mmtmix[cluster] installs: to Slurm, where this '
        "command returns at once, or to submitit's executor for one machine",
    )
    group.add_argument('--partition', help='partition of Slurm')
    group.add_argument(
        '--array-parallelism',
        type=int,
        metavar='N',
        help='number of jobs at a time; on Slurm of one job array, by default 32; locally of all '
        'jobs, by default the number of cores or GPUs',
    )
    group.add_argument(
        '--time',
        metavar='HH:MM:SS',
        help='time limit of a job, as in sbatch; a job that reaches it continues in a new one',
    )
    group.add_argument('--cpus', type=int, metavar='N', help='cores of a job on Slurm')
    group.add_argument('--mem', metavar='SIZE', help='memory of a job on Slurm, such as 32GB')
    group.add_argument(
        '--slurm',
        nargs='+',
        action='extend',
        default=[],
        metavar='KEY=VALUE',
        help='other options of sbatch such as account=lab qos=long constraint=a100',
    )


def check_jobs(args: argparse.Namespace, parser: argparse.ArgumentParser) -> None:
    """Refuse arguments that have no effect together.

    Args:
        args: Parsed arguments.
        parser: Parser of the command, which ends it with an error.
    """
    if args.jobs is not None and args.submit:
        parser.error('give --jobs N or --submit, with --array-parallelism N, not both')
    of_slurm = ('partition', 'cpus', 'mem', 'slurm')
    of_submit = ('array_parallelism', 'time')
    for needed, names in (('slurm', of_slurm), ('slurm or local', of_submit)):
        for name in names:
            if getattr(args, name) and (args.submit or 'none') not in needed:
                parser.error(f'--{name.replace("_", "-")} needs --submit {needed}')
    for pair in args.slurm:
        if not pair.partition('=')[0] or '=' not in pair:
            parser.error(f'--slurm takes KEY=VALUE, got {pair!r}')
