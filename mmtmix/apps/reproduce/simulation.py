"""The course of a grid on a number of workers, by simulation of its schedule."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mmtmix.checks import check_integer, check_number

from .scheduler import Scheduler, chain_seconds


@dataclass(frozen=True)
class Course:
    """Start and end of each job.

    Attributes:
        starts: Start of each job in seconds, by its key, in the order of the starts.
        ends: End of each job in seconds, by its key.
        workers: Number of workers.
        busy: Worker seconds in which jobs ran.
    """

    starts: Mapping[str, float]
    ends: Mapping[str, float]
    workers: int
    busy: float

    @property
    def makespan(self) -> float:
        """Return the end of the last job in seconds; 0 without jobs."""
        return max(self.ends.values(), default=0.0)

    @property
    def utilisation(self) -> float:
        """Return the share of the workers' time in which jobs ran, in [0, 1]."""
        return self.busy / (self.workers * self.makespan) if self.makespan else 1.0


def simulate(
    requires: Mapping[str, Sequence[str]],
    seconds: Mapping[str, float],
    workers: int,
    expected: Mapping[str, float] | None = None,
    widths: Mapping[str, int] | None = None,
) -> Course:
    """Return when each job starts and ends if :class:`Scheduler` chooses the order.

    A worker takes the first job that is ready. A job that needs several workers waits until they
    are free, and no job behind it overtakes it.

    Args:
        requires: Keys of the required jobs by the key of each job, which comes after them.
        seconds: Real time of each job by its key, >= 0.
        workers: Number of workers, >= 1.
        expected: Times in seconds by which the scheduler orders the jobs, >= 0; the real ones by
            default. If all are 0, the order is that of ``requires``.
        widths: Number of workers of the jobs that need more than one, by key, >= 1.

    Raises:
        TypeError: If a number is of another type.
        ValueError: If a number is out of its range, a time is missing, or a job needs too many
            workers. Also if a job comes before one that it requires.
    """
    widths = widths or {}
    _check(requires, seconds, workers, widths)
    scheduler = Scheduler(requires, seconds if expected is None else expected)
    starts: dict[str, float] = {}
    ends: dict[str, float] = {}
    running: list[tuple[float, int, str]] = []  # a heap by the end
    now, free = 0.0, workers
    while not scheduler.is_over:
        for key in scheduler.ready() if free else ():
            if widths.get(key, 1) > free:
                break
            scheduler.start(key)
            free -= widths.get(key, 1)
            starts[key], ends[key] = now, now + seconds[key]
            heapq.heappush(running, (ends[key], len(starts), key))
        now = running[0][0]
        while running and running[0][0] == now:  # all that end together, before new ones start
            key = heapq.heappop(running)[2]
            scheduler.finish(key)
            free += widths.get(key, 1)
    busy = sum(seconds[key] * widths.get(key, 1) for key in requires)
    return Course(starts, ends, workers, busy)


def lower_bound(
    requires: Mapping[str, Sequence[str]],
    seconds: Mapping[str, float],
    workers: int,
    widths: Mapping[str, int] | None = None,
) -> float:
    """Return a time in seconds that no schedule can be shorter than.

    It is the larger of the longest chain and of the total time divided by the workers.

    Args:
        requires: Keys of the required jobs by the key of each job, which comes after them.
        seconds: Time of each job by its key, >= 0.
        workers: Number of workers, >= 1.
        widths: Number of workers of the jobs that need more than one, by key, >= 1.

    Raises:
        TypeError: If a number is of another type.
        ValueError: If a number is out of its range, a time is missing, or a job needs more
            workers than there are.
    """
    widths = widths or {}
    _check(requires, seconds, workers, widths)
    total = sum(seconds[key] * widths.get(key, 1) for key in requires)
    return max(total / workers, *chain_seconds(requires, seconds).values(), 0.0)


def critical_path(
    requires: Mapping[str, Sequence[str]], seconds: Mapping[str, float]
) -> list[str]:
    """Return the keys of the longest chain of jobs by time, from its first job to its last.

    Args:
        requires: Keys of the required jobs by the key of each job, which comes after them.
        seconds: Time of each job by its key, >= 0.
    """
    chains = chain_seconds(requires, seconds)
    path: list[str] = []
    ready = [key for key, others in requires.items() if not others]
    while ready:
        path.append(max(ready, key=lambda key: chains[key]))
        ready = [key for key, others in requires.items() if path[-1] in others]
    return path


def _check(
    requires: Mapping[str, Sequence[str]],
    seconds: Mapping[str, float],
    workers: int,
    widths: Mapping[str, int],
) -> None:
    check_integer('workers', workers, 1)
    missing = [key for key in requires if key not in seconds]
    if missing:
        raise ValueError(f'seconds must have a time for each job; {missing[0]} has none')
    for key in requires:
        check_number(f'seconds of {key}', seconds[key], 0)
        width = widths.get(key, 1)
        check_integer(f'widths of {key}', width, 1)
        if width > workers:
            raise ValueError(
                f'widths of {key} must be at most the {workers} workers, got {width}; use more '
                'workers or a smaller width'
            )
