"""The table of the jobs of a grid, once or live."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from .grid import duration
from .survey import JobState, JobStatus

COLORS = {
    JobState.DONE: 'green',
    JobState.RUNNING: 'cyan',
    JobState.QUEUED: 'blue',
    JobState.READY: '',
    JobState.WAITING: 'dim',
    JobState.BLOCKED: 'magenta',
    JobState.STOPPED: 'yellow',
    JobState.INTERRUPTED: 'yellow',
    JobState.FAILED: 'red',
}


def show_status(survey: Callable[[], Mapping[str, JobStatus]], watch: float | None = None) -> None:
    """Show the state of all jobs; with `watch` until all are over, or Ctrl-C.

    Where stdout is no terminal, there is one line per job, and each renewal follows the last one.

    Args:
        survey: Function that returns the present state of each job, by its key.
        watch: Seconds between two renewals, > 0; None to show it once.
    """
    found = survey()
    if not sys.stdout.isatty():
        print_lines(found)
        while watch is not None and not is_over(found):
            time.sleep(watch)
            found = survey()
            print()
            print_lines(found)
        return
    console = Console()
    if watch is None:
        console.print(table(found))
        return
    with Live(
        table(found), console=console, auto_refresh=False, vertical_overflow='visible'
    ) as live:
        while not is_over(found):
            time.sleep(watch)
            found = survey()
            live.update(table(found), refresh=True)


def is_over(found: Mapping[str, JobStatus]) -> bool:
    """Return whether no job runs and none is in a queue.

    Args:
        found: State of each job, by its key.
    """
    return not any(each.state in (JobState.RUNNING, JobState.QUEUED) for each in found.values())


def totals(found: Mapping[str, JobStatus]) -> str:
    """Return the number of jobs in each state, in one line.

    Args:
        found: State of each job, by its key.
    """
    counts = Counter(each.state for each in found.values())
    parts = [f'{counts[state]} {state.value}' for state in JobState if counts[state]]
    return f'{len(found)} jobs: {", ".join(parts)}' if parts else 'no jobs'


def print_lines(found: Mapping[str, JobStatus]) -> None:
    """Print one line per job, and the totals.

    Args:
        found: State of each job, by its key.
    """
    for key, status in found.items():
        line = f'{status.state.value:11}  {_share(status):>4}  {_times(status):>20}  {key}'
        print(f'{line}  {status.text}'.rstrip())
    print(totals(found), flush=True)


def table(found: Mapping[str, JobStatus]) -> Table:
    """Return the table of all jobs.

    Args:
        found: State of each job, by its key.
    """
    result = Table(caption=totals(found), caption_justify='left')
    result.add_column('job', overflow='fold')
    for name in ('state', 'done'):
        result.add_column(name, no_wrap=True)
    result.add_column('time', no_wrap=True)
    result.add_column('', overflow='fold')
    for key, status in found.items():
        color = COLORS[status.state]
        cells = (status.state.value, _share(status), _times(status))
        result.add_row(Text(key), *(Text(each, style=color) for each in cells), Text(status.text))
    return result


def _share(status: JobStatus) -> str:
    return '' if status.progress is None else f'{status.progress:.0%}'


def _times(status: JobStatus) -> str:
    """Return the time that a job took, and the time that it is expected to take yet."""
    if status.seconds is None:
        return ''
    left = '' if status.left is None else f', {duration(status.left)} left'
    return f'{duration(status.seconds)}{left}'
