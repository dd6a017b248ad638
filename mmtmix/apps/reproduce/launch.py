"""Running, state and repetition of a grid, in the way that the arguments choose."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from mmtmix.checks import check_integer, check_number

from .cluster import SubmititWorkers, minutes_of
from .graph import JobGraph, job_graph
from .grid import Grid
from .job_log import LOGS
from .plan import plan_jobs
from .runs import Run
from .slurm import SlurmGrid, SlurmOptions
from .status import show_status
from .submissions import read_submissions
from .survey import jobs_to_retry, survey
from .workers import ProcessWorkers, Workers, usable_cores, visible_gpus

report = partial(print, flush=True)  # the jobs may write to the same stdout


def run_grid(runs: Sequence[Run], tools: str | os.PathLike, args: argparse.Namespace) -> bool:
    """Run what is missing of runs; return whether all are done, or submitted, or shown.

    Args:
        runs: Runs of a grid.
        tools: Folder of the scripts of ``tools/``.
        args: Arguments of the subcommand ``run``.

    Raises:
        ImportError: If submitit is needed and missing.
        Stopped: If this process receives a signal to end, once its jobs have ended.
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range.
    """
    launcher = Launcher(tools, args)
    plan = plan_jobs(runs, report)
    return launcher.launch(plan.graph) and not plan.faults


def retry_grid(runs: Sequence[Run], tools: str | os.PathLike, args: argparse.Namespace) -> bool:
    """Run again what failed or was interrupted of runs; return as :func:`run_grid` does.

    Args:
        runs: Runs of a grid.
        tools: Folder of the scripts of ``tools/``.
        args: Arguments of the subcommand ``retry``.

    Raises:
        ImportError: If submitit is needed and missing.
        OSError: If jobs were submitted to Slurm and its queue can't be read.
        Stopped: If this process receives a signal to end, once its jobs have ended.
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range.
    """
    launcher = Launcher(tools, args)
    graph = job_graph(runs, _report_fault)
    found = survey(graph, args.root)
    chosen = jobs_to_retry(graph, found)
    if not chosen:
        report('nothing failed or was interrupted')
        return True
    for key in chosen:
        status = found[key]
        report(f'{key}: {status.state.value} {status.text}'.rstrip())
    return launcher.launch(chosen)


def show_grid(runs: Sequence[Run], args: argparse.Namespace) -> None:
    """Show the state of the jobs of runs.

    Args:
        runs: Runs of a grid.
        args: Arguments of the subcommand ``status``.

    Raises:
        OSError: If jobs were submitted to Slurm and its queue can't be read.
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range, or a file is damaged.
    """
    if args.watch is not None:
        check_number('--watch', args.watch, 0.1)
    graph = job_graph(runs, _report_fault)
    show_status(lambda: survey(graph, args.root), args.watch)


def _report_fault(run: Run, error: Exception) -> None:
    """Report a run whose config cannot be read; the others are shown."""
    print(f'{run.folder}: {error}', file=sys.stderr)


def begun(runs: Sequence[Run], root: str | os.PathLike) -> list[Run]:
    """Return the runs of which some seed has a folder or a log, or was submitted.

    Args:
        runs: Runs of a grid.
        root: Folder of all runs.

    Raises:
        ValueError: If the list of submissions is damaged.
    """
    submitted = {Path(key).parent for each in read_submissions(root) for key in each.keys}

    def has_begun(folder: Path) -> bool:
        logs = Path(root, LOGS, os.path.relpath(folder, root))  # of those that failed at once
        return folder in submitted or folder.is_dir() or logs.is_dir()

    return [run for run in runs if has_begun(run.folder.parent)]


class Launcher:
    """Runs jobs as the arguments choose, which are checked first.

    Args:
        tools: Folder of the scripts of ``tools/``.
        args: Arguments of the subcommand ``run`` or ``retry``.

    Raises:
        ImportError: If submitit is needed and missing.
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range.
    """

    def __init__(self, tools: str | os.PathLike, args: argparse.Namespace):
        self._tools = tools
        self._root: str = args.root
        self._is_dry: bool = args.dry_run
        self._workers: Workers | None = None
        self._options: SlurmOptions | None = None
        minutes = minutes_of(args.time)
        if args.submit == 'slurm':
            pairs = (each.partition('=') for each in args.slurm)
            self._options = SlurmOptions(
                args.partition,
                240 if minutes is None else minutes,
                32 if args.array_parallelism is None else args.array_parallelism,
                args.gpus,
                args.cpus,
                args.mem,
                {name: value for name, _, value in pairs},
            )
        elif self._is_dry:
            pass
        elif args.submit == 'local':
            slots = args.array_parallelism
            if slots is None:
                slots = max(1, (len(visible_gpus()) or usable_cores()) // args.gpus)
            check_integer('--array-parallelism', slots, 1)
            self._workers = SubmititWorkers(self._root, slots, args.gpus, minutes)
        else:
            jobs = 1 if args.jobs is None else args.jobs
            check_integer('--jobs', jobs, 1)
            self._workers = ProcessWorkers(jobs, args.gpus)

    def launch(self, graph: JobGraph) -> bool:
        """Run, submit or show jobs, and return whether that was without a failure.

        Args:
            graph: Jobs that are left to do.
        """
        if self._is_dry:
            show_jobs(graph, self._tools)
            return True
        if self._options is not None:
            grid = SlurmGrid(graph, self._options, self._tools, self._root, report)
            report(f'{grid.submit()} jobs submitted; `reproduce status` shows how far they are')
            return True
        assert self._workers is not None
        return Grid(graph, self._workers, self._tools, self._root, report).run()


def show_jobs(graph: JobGraph, tools: str | os.PathLike) -> None:
    """Print the commands of jobs, in an order in which they can run.

    Args:
        graph: Jobs of a grid.
        tools: Folder of the scripts of ``tools/``.
    """
    for number, (key, job) in enumerate(graph.items(), 1):
        report(f'[{number}/{len(graph)}] {key}: starts')
        report(f'    {shlex.join(job.command(tools))}')
