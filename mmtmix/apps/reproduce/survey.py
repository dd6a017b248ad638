"""The present state of the jobs of a grid, from the files that they leave and the queue."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from mmtmix.engine.run_record import FAILED, INTERRUPTED, RUNNING, STOPPED, read_record, state_of

from .graph import Job, JobGraph
from .grid import describe_code, describe_stop
from .job_log import Attempt, log_of, read_attempt, worker_of
from .runs import State
from .submissions import queued, read_queue, read_submissions


class JobState(Enum):
    """State of a job. The last ones are of jobs that ``retry`` starts again."""

    DONE = 'done'
    RUNNING = 'running'
    QUEUED = 'queued'
    READY = 'ready'
    WAITING = 'waiting'
    BLOCKED = 'blocked'
    STOPPED = 'stopped'
    INTERRUPTED = 'interrupted'
    FAILED = 'failed'

    @property
    def has_ended_early(self) -> bool:
        """Whether an attempt ended without a result."""
        return self in (JobState.STOPPED, JobState.INTERRUPTED, JobState.FAILED)


@dataclass(frozen=True)
class JobStatus:
    """State of a job, and what is known about it.

    Attributes:
        state: The state.
        text: Where it runs, for what it waits, or why it ended.
        progress: Share that is done, 0 to 1; None if it isn't known.
        seconds: Duration of all attempts, in seconds; None without a record.
        left: Expected seconds to its end; None if they aren't known.
    """

    state: JobState
    text: str = ''
    progress: float | None = None
    seconds: float | None = None
    left: float | None = None


def survey(graph: JobGraph, root: str | os.PathLike) -> dict[str, JobStatus]:
    """Return the state of each job, by its key.

    Args:
        graph: All jobs of a grid, with those that are done.
        root: Folder of all runs.

    Raises:
        OSError: If jobs were submitted to Slurm and its queue can't be read.
        ValueError: If the list of submissions is damaged.
    """
    submissions = read_submissions(root)
    in_queue = queued(submissions, read_queue()) if submissions else {}
    found: dict[str, JobStatus] = {}
    for key, job in graph.items():
        status = _own_state(job, root, in_queue.get(key))
        if status.state is JobState.READY and (lacking := _lacking(job, found)):
            status = lacking
        found[key] = status
    return found


def _own_state(job: Job, root: str | os.PathLike, number: tuple[str, str] | None) -> JobStatus:
    """Return the state of a job, without that of those that it needs."""
    try:
        there, record = job.state, read_record(job.folder)
    except ValueError as error:  # damaged, or a config that can't be read
        return JobStatus(JobState.FAILED, str(error))
    seconds = record.get('seconds')
    if there is State.DONE:
        return JobStatus(JobState.DONE, '', 1.0, seconds)
    if (holder := worker_of(job, root)) is not None:
        share, left = _progress(record) if record.get('state') == RUNNING else (None, None)
        return JobStatus(JobState.RUNNING, f'on {holder.host}', share, seconds, left)
    if number is not None:
        return JobStatus(JobState.QUEUED, f'{number[0]} {number[1].lower()}', seconds=seconds)
    if there.is_of_another_run:
        return JobStatus(JobState.FAILED, f'{there.value}; move the folder away')
    return _ended(job, read_attempt(log_of(job, root)), record)


def _ended(job: Job, attempt: Attempt | None, record: Mapping[str, Any]) -> JobStatus:
    """Return the state of a job that nothing runs now."""
    state, seconds = state_of(job.folder, record), record.get('seconds')
    share = _progress(record)[0]
    if attempt is not None and attempt.code and not record:
        # it ended before its record was begun
        stopped = describe_stop(attempt.code)
        if stopped:
            return JobStatus(JobState.STOPPED, stopped, None, attempt.seconds)
        # for instance by a fault in its config
        text = attempt.last_line or describe_code(attempt.code)
        return JobStatus(JobState.FAILED, text, None, attempt.seconds)
    if state == STOPPED:
        return JobStatus(JobState.STOPPED, record.get('error') or '', share, seconds)
    if state == FAILED:
        return JobStatus(JobState.FAILED, record.get('error') or '', share, seconds)
    if state == INTERRUPTED or (attempt is not None and attempt.code != 0):
        where = record.get('host')
        text = f'killed on {where}' if where else 'killed'
        return JobStatus(JobState.INTERRUPTED, text, share, seconds)
    return JobStatus(JobState.READY, '', share, seconds)


def _lacking(job: Job, found: Mapping[str, JobStatus]) -> JobStatus | None:
    """Return the state of a job that waits for others; None if all that it needs is there."""
    for key in job.requires:
        if found[key].state in (JobState.BLOCKED, JobState.FAILED):
            return JobStatus(JobState.BLOCKED, f'needs {key}')
    for key in job.requires:
        if found[key].state is not JobState.DONE:
            return JobStatus(JobState.WAITING, f'for {key}')
    return None


def _progress(record: Mapping[str, Any]) -> tuple[float | None, float | None]:
    """Return the share that is done, and the expected seconds to the end, from a record."""
    done, total = record.get('progress') or (0, 0)
    seconds = record.get('seconds') or 0.0
    if not total:
        return None, None
    return done / total, seconds * (total - done) / done if done else None


def jobs_to_retry(graph: JobGraph, found: Mapping[str, JobStatus]) -> JobGraph:
    """Return the jobs that ended early, those that need them, and what these need themselves.

    Args:
        graph: All jobs of a grid.
        found: State of each job, from :func:`survey`.
    """
    idle = {
        key
        for key in graph
        if found[key].state not in (JobState.DONE, JobState.RUNNING, JobState.QUEUED)
    }
    wanted = {key for key in idle if found[key].state.has_ended_early}
    for key in graph:  # each comes after those that it needs
        if key in idle and wanted.intersection(graph[key].requires):
            wanted.add(key)
    for key in reversed(list(graph)):
        if key in wanted:
            wanted.update(idle.intersection(graph[key].requires))
    # those that others run now are waited for
    busy = {each for key in wanted for each in graph[key].requires} - idle
    return graph.part(wanted | {key for key in busy if found[key].state is not JobState.DONE})
