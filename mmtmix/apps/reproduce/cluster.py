"""Jobs through submitit: its executor for one machine, and what that for Slurm shares with it."""

from __future__ import annotations

import importlib
import os
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from .child import handling
from .cluster_job import ClusterJob
from .graph import Job
from .job_log import LOGS, read_attempt
from .workers import Started, shares

_BY_VALUE = ('cluster_job', 'child', 'job_log', 'workers')  # what a job takes along
_YEAR = 365 * 24 * 60  # minutes


def import_submitit() -> Any:
    """Return submitit, which then pickles the jobs of this package by value.

    Raises:
        ImportError: If it isn't installed.
    """
    try:
        import cloudpickle
        import submitit
    except ImportError as error:
        raise ImportError(
            f'--submit needs submitit ({error}): pip install "mmtmix[cluster]"'
        ) from error
    for name in _BY_VALUE:
        cloudpickle.register_pickle_by_value(importlib.import_module(f'{__package__}.{name}'))
    return submitit


def submissions_of(root: str | os.PathLike) -> Path:
    """Return the folder of submitit's files.

    Args:
        root: Folder of all runs.
    """
    return Path(root, LOGS, 'submitit')


def cluster_job(
    job: Job, command: Sequence[str], log: Path, env: Mapping[str, str | None], patience: float
) -> ClusterJob:
    """Return the function that runs a job on a cluster.

    Args:
        job: Job of a grid.
        command: Program and its arguments.
        log: File for its output.
        env: Changes of environment variables.
        patience: Seconds for which it waits for files of other machines, >= 0.
    """
    folder, files = os.path.abspath(job.folder), [os.path.abspath(each) for each in job.requires]
    return ClusterJob(
        command, os.getcwd(), os.path.abspath(log), folder, files, env, patience=patience
    )


class SubmititWorkers:
    """Runs jobs by submitit's executor for one machine, each with its share of the machine.

    Args:
        root: Folder of all runs.
        slots: Number of jobs that may run at the same time, >= 1.
        gpus: Number of processes per job, each with a GPU of its own if there are GPUs, >= 1.
        minutes: Time limit of a job, >= 1; None for none. A job that reaches it continues.

    Raises:
        ImportError: If submitit isn't installed.
        TypeError: If an argument is of another type.
        ValueError: If one is out of its range, or there are too few GPUs.
    """

    def __init__(
        self, root: str | os.PathLike, slots: int, gpus: int = 1, minutes: int | None = None
    ):
        submitit = import_submitit()
        self.slots = slots
        self.received: list[int] = []
        self._shares = shares(slots, gpus)
        self._running: list[_Submitted] = []
        self._executor = submitit.LocalExecutor(submissions_of(root), max_num_timeout=1_000_000)
        self._executor.update_parameters(timeout_min=minutes or _YEAR)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Stop the jobs on a signal while the body runs."""

        def stop(number: int, frame: Any = None) -> None:
            self.received.append(number)
            for submitted in self._running:
                submitted.stop()

        with handling(stop):
            yield

    def start(self, job: Job, command: Sequence[str], log: Path, slot: int) -> Started:
        """Start a job; see :class:`mmtmix.apps.reproduce.workers.Workers`.

        Args:
            job: Job to start.
            command: Program and its arguments.
            log: File for its output.
            slot: Number of the free slot that it takes.

        Raises:
            OSError: If it cannot be started.
        """
        visible = os.environ.get('CUDA_VISIBLE_DEVICES')  # submitit hides all GPUs
        env = {'CUDA_VISIBLE_DEVICES': visible, **self._shares[slot]}
        function = cluster_job(job, command, log, env, patience=0.0)
        submitted = _Submitted(partial(self._executor.submit, function), log)
        self._running = [each for each in self._running if each.poll() is None]
        self._running.append(submitted)
        if self.received:  # before it was started
            submitted.stop()
        return submitted


class _Submitted:
    """A job of submitit's executor.

    The executor requeues a job that reaches its time limit five times, and then lets it end
    without a result. It is submitted again here, since whether it makes progress is checked by
    the job itself.
    """

    def __init__(self, submit: Callable[[], Any], log: Path):
        self._submit = submit
        self._job = submit()
        self._log = log
        self._is_stopped = False

    def poll(self) -> int | None:
        """Return the exit status of the newest attempt; None while the job is not over."""
        if not self._job.done():
            return None
        attempt = read_attempt(self._log)
        if attempt is None or attempt.code is None:
            return -signal.SIGKILL  # nothing else ends a job without a line in its log
        has_result = self._job.paths.result_pickle.exists()  # an error is one, too
        if attempt.code and not has_result and not self._is_stopped:
            self._job = self._submit()
            return None
        return attempt.code

    def stop(self) -> None:
        """Let the job save and end."""
        self._is_stopped = True
        with suppress(ProcessLookupError):
            # the executor's own process passes SIGTERM on; its cancel() would kill a second later
            os.kill(int(self._job.job_id), signal.SIGTERM)


def minutes_of(text: str | None) -> int | None:
    """Return a time limit in minutes, rounded up; None for None.

    Args:
        text: Time as in sbatch: ``minutes``, ``minutes:seconds``, ``hours:minutes:seconds``,
            ``days-hours``, ``days-hours:minutes`` or ``days-hours:minutes:seconds``.

    Raises:
        ValueError: If it has another form, or is zero.
    """
    if text is None:
        return None
    days, dash, rest = text.rpartition('-')
    parts = rest.split(':')
    if not all(part.isdecimal() for part in [*parts, *([days] if dash else [])]) or len(parts) > 3:
        raise ValueError(
            f'--time must be MINUTES, HH:MM:SS or D-HH:MM:SS as for sbatch, got {text!r}'
        )
    numbers = [int(part) for part in parts]
    if dash:
        hours, minutes, seconds = [*numbers, 0, 0][:3]
    elif len(numbers) == 3:
        hours, minutes, seconds = numbers
    else:
        hours, (minutes, seconds) = 0, [*numbers, 0][:2]
    total = ((int(days or 0) * 24 + hours) * 60 + minutes) * 60 + seconds
    if total == 0:
        raise ValueError(f'--time must be more than zero, got {text!r}')
    return -(-total // 60)
