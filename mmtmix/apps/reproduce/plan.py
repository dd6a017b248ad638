"""The jobs that are left to do for runs, and what is known about them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from mmtmix.engine.run_record import DONE, read_record

from .graph import JobGraph, job_graph
from .runs import Run, State


class Plan(NamedTuple):
    """What is left to do.

    Attributes:
        graph: Jobs that are left, with the stages that they require.
        faults: Reason why a run cannot be made, by run.
    """

    graph: JobGraph
    faults: dict[Run, str]


def plan_jobs(runs: Sequence[Run], report: Callable[[str], object] = print) -> Plan:
    """Return the jobs that are left to do, and report the runs that are done or faulty.

    Args:
        runs: Runs of a grid; a run that is listed twice is one job.
        report: Function that takes a line.

    Raises:
        ValueError: If two runs require one file of different stages.
    """
    faults: dict[Run, str] = {}

    def note(run: Run, error: Exception) -> None:
        faults[run] = str(error)
        report(f'{run.folder}: {error}')

    left: list[str] = []
    graph = job_graph(runs, note)  # a bad cell need not stop the others
    others = graph.of_another_run()
    for key, job in graph.items():
        if job.run is None:
            continue
        try:
            state = job.state
        except ValueError as error:
            note(job.run, error)
            continue
        if state is State.DONE:
            report(f'{key}: done before')
        elif state.is_of_another_run:
            faults[job.run] = f'{state.value}; move the folder away to run it anew'
            report(f'{key}: {faults[job.run]}')
        elif stale := [each for each in graph.missing([key]) if each in others]:
            faults[job.run] = f'{stale[0]}: {others[stale[0]].value}; move its folder away'
            report(f'{key} needs {faults[job.run]}')
        else:
            left.append(key)
    return Plan(graph.missing(left), faults)


def known_seconds(graph: JobGraph) -> dict[str, float]:
    """Return the seconds of jobs whose experiment has finished runs of other seeds, by key.

    Args:
        graph: Jobs of a grid.
    """
    found: dict[str, float] = {}
    of_folder: dict[Path, list[float]] = {}
    for key, job in graph.items():
        if job.run is None:
            continue
        folder = job.run.folder.parent  # of all seeds
        if folder not in of_folder:
            of_folder[folder] = _seconds_in(folder)
        if of_folder[folder]:
            found[key] = sum(of_folder[folder]) / len(of_folder[folder])
    return found


def _seconds_in(folder: Path) -> list[float]:
    """Return the seconds of the finished runs of all seeds."""
    found = []
    for path in folder.glob('seed*'):
        try:
            record = read_record(path)
        except ValueError:  # damaged: reported when its job starts
            continue
        if record.get('state') == DONE and isinstance(record.get('seconds'), (int, float)):
            found.append(float(record['seconds']))
    return found
