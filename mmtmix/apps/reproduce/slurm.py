"""Submission of the jobs of a grid to Slurm, all at once, each after those that it needs."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmtmix.checks import check_integer
from mmtmix.utils.claim_waits import wait_for_folder

from .cluster import cluster_job, import_submitit, submissions_of
from .graph import JobGraph
from .job_log import LOGS, log_of, worker_of
from .submissions import (
    Queue,
    Submission,
    queued,
    read_queue,
    read_submissions,
    write_submissions,
)

LARGEST_ARRAY = 1000
"""Number of jobs in an array that Slurm accepts by default (``MaxArraySize`` is 1001)."""

SIGNAL_DELAY = 120
"""Seconds between the signal and the time limit, in which a training saves."""


@dataclass
class SlurmOptions:
    """What the jobs are given.

    Attributes:
        partition: Partition; None for the default of the cluster.
        minutes: Time limit of a job, >= 1; a job that reaches it is requeued and continues.
        parallelism: Number of jobs of one array that run at the same time, >= 1.
        gpus: Number of GPUs of a job, >= 0.
        cpus: Number of cores of a job, >= 1; None for the default of the cluster.
        memory: Memory of a job, such as ``'32GB'``; None for the default of the cluster.
        others: Values of other options of sbatch, by name. ``gpus-per-node`` replaces `gpus`; with
            ``'0'`` no GPU is requested.

    Raises:
        TypeError: If a number is of another type.
        ValueError: If one is out of its range.
    """

    partition: str | None = None
    minutes: int = 240
    parallelism: int = 32
    gpus: int = 1
    cpus: int | None = None
    memory: str | None = None
    others: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_integer('--time in minutes', self.minutes, 1)
        check_integer('--array-parallelism', self.parallelism, 1)
        check_integer('--gpus', self.gpus, 0)
        if self.cpus is not None:
            check_integer('--cpus', self.cpus, 1)
        wanted = self.others.get('gpus-per-node', '0')
        if not wanted.isdecimal():
            raise ValueError(f'--slurm gpus-per-node must be a number, got {wanted!r}')

    def parameters(self) -> dict[str, Any]:
        """Return them in the form of submitit."""
        others = dict(self.others)
        gpus = int(others.pop('gpus-per-node', self.gpus))
        given = {
            'partition': self.partition,
            'time': self.minutes,
            'array_parallelism': self.parallelism,
            'gpus_per_node': gpus or None,
            'cpus_per_task': self.cpus,
            'mem': self.memory,
            'signal_delay_s': SIGNAL_DELAY,
            'stderr_to_stdout': True,
        }
        parameters = {name: value for name, value in given.items() if value is not None}
        extra = {'requeue': True, 'kill-on-invalid-dep': 'yes', **others}
        return parameters | {'additional_parameters': extra}


class SlurmGrid:
    """Submits the jobs of a graph that are neither done nor in the queue.

    Jobs that need the same jobs form one job array, which starts after these are done. If one of
    them fails, Slurm cancels it. Jobs of earlier submissions count: they are not submitted again,
    and others may depend on them. Two submissions at once take turns.

    Args:
        graph: Jobs that are left to do.
        options: What the jobs are given.
        tools: Folder of the scripts of ``tools/``.
        root: Folder of all runs, which gets the logs and the list of submissions.
        report: Function that takes a line.

    Raises:
        ImportError: If submitit isn't installed.
        FileNotFoundError: If there is no Slurm.
        ValueError: If submitit refuses an option.
    """

    def __init__(
        self,
        graph: JobGraph,
        options: SlurmOptions,
        tools: str | os.PathLike,
        root: str | os.PathLike,
        report: Callable[[str], object] = print,
    ):
        self.graph = graph
        self._tools, self._root = tools, Path(root)
        self._report = report
        self._parameters = options.parameters()
        slurm_executor(root).update_parameters(**self._parameters)  # refuses faults before work
        self._submissions: list[Submission] = []

    def submit(self) -> int:
        """Submit what is missing, and return the number of jobs that were submitted.

        Raises:
            OSError: If the queue can't be read.
            subprocess.CalledProcessError: If sbatch refuses.
            ValueError: If the list of submissions is damaged.
        """
        claim = wait_for_folder(self._root / LOGS / 'submitting', lambda: False, self._report)
        try:
            return self._submit_all()
        finally:
            if claim is not None:
                claim.release()

    def _submit_all(self) -> int:
        queue = read_queue()
        self._submissions = _recover(read_submissions(self._root), queue)
        there = {key: number for key, (number, _) in queued(self._submissions, queue).items()}
        groups: dict[tuple[str, ...], list[str]] = {}
        count = 0
        for key, job in self.graph.items():
            if key in there:
                self._report(f'{key}: in the queue as {there[key]}')
            elif (holder := worker_of(job, self._root)) is not None:
                # the job waits for the end of the other one, and then continues or ends
                self._report(f'{key}: {holder} works on it; a job is submitted behind that')
                groups.setdefault(job.requires, []).append(key)
            else:
                groups.setdefault(job.requires, []).append(key)
        for keys in self._in_order(groups):
            needed = self.graph[keys[0]].requires
            there |= self._submit_array(keys, [there[each] for each in needed])
            count += len(keys)
        return count

    def _in_order(self, groups: dict[tuple[str, ...], list[str]]) -> list[list[str]]:
        """Return the keys of each array, each after those that it needs."""
        depths: dict[str, int] = {}
        for key, job in self.graph.items():
            depths[key] = 1 + max((depths[each] for each in job.requires), default=0)
        ordered = sorted(groups.values(), key=lambda keys: depths[keys[0]])
        return [
            keys[start : start + LARGEST_ARRAY]
            for keys in ordered
            for start in range(0, len(keys), LARGEST_ARRAY)
        ]

    def _submit_array(self, keys: list[str], after: list[str]) -> dict[str, str]:
        """Submit jobs that need the same jobs, and return their numbers by key."""
        submission = Submission(f'mmtmix-{uuid.uuid4().hex[:12]}', keys)
        # if this process is killed now, the next one finds the job in the queue by its name
        self._submissions.append(submission)
        write_submissions(self._root, self._submissions)
        parameters = self._parameters | {'job_name': submission.name}
        if after:
            parameters['dependency'] = f'afterok:{":".join(after)}'
        executor = slurm_executor(self._root)
        executor.update_parameters(**parameters)
        functions = []
        for key in keys:
            job = self.graph[key]
            command = job.command(self._tools)
            log = log_of(job, self._root)
            functions.append(cluster_job(job, command, log, {}, patience=60.0))
        jobs = executor.submit_array(functions)
        submission.id = jobs[0].job_id.partition('_')[0]
        write_submissions(self._root, self._submissions)
        for key in keys:
            behind = f', after {" ".join(after)}' if after else ''
            self._report(f'{key}: submitted as {submission.id_of(key)}{behind}')
        return {key: submission.id_of(key) for key in keys}


def slurm_executor(root: str | os.PathLike) -> Any:
    """Return submitit's executor for Slurm.

    Args:
        root: Folder of all runs.

    Raises:
        ImportError: If submitit isn't installed.
        RuntimeError: If there is no Slurm.
    """
    submitit = import_submitit()
    if shutil.which('sbatch') is None or shutil.which('srun') is None:
        raise FileNotFoundError(
            '--submit slurm needs sbatch and srun, and they are not on PATH: run it on a machine '
            'of the cluster, or take --submit local or --jobs N'
        )
    # a time limit is no failure: whether a job gets on is checked by the job itself
    return submitit.SlurmExecutor(submissions_of(root), max_num_timeout=1_000_000)


def _recover(submissions: list[Submission], queue: Queue) -> list[Submission]:
    """Return the submissions with numbers; those that never reached the queue are left out."""
    for each in submissions:
        if each.id is None:
            each.id = queue.ids.get(each.name)
    return [each for each in submissions if each.id is not None]
