"""Running of the jobs of a grid, several at a time."""

from __future__ import annotations

import os
import shlex
import signal
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from mmtmix.utils import Stopped
from mmtmix.utils.command import CLAIMED
from mmtmix.utils.living_holder import living_holder

from .graph import Job, JobGraph
from .job_log import last_line, log_of, worker_of
from .plan import known_seconds
from .runs import State
from .scheduler import Scheduler
from .workers import Started, Workers

POLL = 0.2
"""Seconds between two looks at the jobs that run here."""

POLL_OTHERS = 5.0
"""Seconds between two looks at the jobs that other launches run."""


class _Running(NamedTuple):
    started: Started
    slot: int
    since: float
    head: str


class Grid:
    """Runs the jobs of a graph that are not done.

    A job that another launch is running is waited for, and takes no slot. If that launch ends
    without a result, the job runs here. A job that fails prevents only those that need it.

    Args:
        graph: Jobs to run; those that are done are left out by :meth:`JobGraph.missing`.
        workers: What runs them.
        tools: Folder of the scripts of ``tools/``.
        root: Folder of all runs, which gets the logs.
        report: Function that takes a line about the progress.

    Attributes:
        failures: Reason of each failure, by the key of the job.
    """

    def __init__(
        self,
        graph: JobGraph,
        workers: Workers,
        tools: str | os.PathLike,
        root: str | os.PathLike,
        report: Callable[[str], object] = print,
    ):
        self.graph = graph
        self.failures: dict[str, str] = {}
        self._workers = workers
        self._tools, self._root = tools, Path(root)
        self._report = report
        self._scheduler = Scheduler(graph.requires(), known_seconds(graph))
        self._running: dict[str, _Running] = {}
        self._elsewhere: dict[str, str] = {}  # head of the lines of each job
        self._again: list[str] = []  # left by another launch without a result
        self._next_look = 0.0

    def run(self) -> bool:
        """Run all jobs, and return whether all are done.

        Raises:
            OSError: If the folders of the logs can't be made.
            Stopped: If this process receives a signal to end, once the jobs that run have ended.
        """
        for job in self.graph.values():  # these folders also show what was to run
            log_of(job, self._root).parent.mkdir(parents=True, exist_ok=True)
        with self._workers.running():
            while not self._scheduler.is_over:
                if not self._workers.received:
                    self._start_some()
                elif not self._running:
                    break
                self._collect()
                self._look_elsewhere()
                if self._running or self._elsewhere:
                    time.sleep(POLL)
        if self._workers.received:
            raise Stopped(self._workers.received[0])
        self._summarize()
        return not self.failures

    def _start_some(self) -> None:
        """Start jobs while there are free slots."""
        for key in [*self._again, *self._scheduler.ready()]:
            taken = {each.slot for each in self._running.values()}
            free = [slot for slot in range(self._workers.slots) if slot not in taken]
            if not free or self._workers.received:
                return
            if key in self._again:
                self._again.remove(key)
                head = self._elsewhere.pop(key)
            else:
                self._scheduler.start(key)
                head = f'[{self._begun()}/{len(self.graph)}] {key}'
            try:
                self._start(self.graph[key], head, free[0])
            except (OSError, ValueError) as error:  # a full disk, a damaged record
                self._fail(key, head, str(error))

    def _begun(self) -> int:
        """Return the number of jobs that were started, here or elsewhere."""
        scheduler = self._scheduler
        return len(scheduler.running) + len(scheduler.done) + len(scheduler.failed)

    def _start(self, job: Job, head: str, slot: int) -> None:
        if job.is_done:
            self._report(f'{head}: done by another launch')
            self._scheduler.finish(job.key)
            return
        if (holder := worker_of(job, self._root)) is not None:
            self._report(f'{head}: waiting for {holder}')
            self._elsewhere[job.key] = head
            return
        command, log = job.command(self._tools), log_of(job, self._root)
        begins = not any(each.is_file() for each in Path(job.folder).glob('*'))
        self._report(f'{head}: {"started" if begins else "continued"}, log in {log}')
        if self._workers.slots == 1:
            self._report(f'    {shlex.join(command)}')
        started = self._workers.start(job, command, log, slot)
        self._running[job.key] = _Running(started, slot, time.monotonic(), head)

    def _collect(self) -> None:
        """Take the jobs that have ended."""
        for key, running in list(self._running.items()):
            if (code := running.started.poll()) is not None:
                del self._running[key]
                self._end(self.graph[key], running, code)

    def _end(self, job: Job, running: _Running, code: int) -> None:
        took = duration(time.monotonic() - running.since)
        try:
            state = job.state
        except ValueError as error:
            self._fail(job.key, running.head, str(error))
            return
        if state is State.DONE:
            self._report(f'{running.head}: done in {took}')
            self._scheduler.finish(job.key)
        elif self._workers.received:
            number = signal.Signals(self._workers.received[0])
            self._report(f'{running.head}: stopped by {number.name} after {took}')
            self._elsewhere[job.key] = running.head  # neither done nor failed
        elif code == CLAIMED or living_holder(job.folder) is not None:
            self._report(f'{running.head}: another launch works on it; waiting for that')
            self._elsewhere[job.key] = running.head
        else:
            reason = f'{describe_code(code)} after {took}'
            if state.is_of_another_run:
                reason += f', {state.value}'
            elif last := last_line(job, self._root):
                reason += f': {last}'
            self._fail(job.key, running.head, reason)

    def _look_elsewhere(self) -> None:
        """Take the jobs that other launches have ended."""
        if time.monotonic() < self._next_look or self._workers.received:
            return
        self._next_look = time.monotonic() + POLL_OTHERS
        for key, head in list(self._elsewhere.items()):
            job = self.graph[key]
            if key in self._again or worker_of(job, self._root) is not None:
                continue
            try:
                if job.is_done:
                    self._report(f'{head}: done by another launch')
                    del self._elsewhere[key]
                    self._scheduler.finish(key)
                else:
                    self._again.append(key)
            except ValueError as error:
                del self._elsewhere[key]
                self._fail(key, head, str(error))

    def _fail(self, key: str, head: str, reason: str) -> None:
        self.failures[key] = reason
        self._scheduler.fail(key)
        self._report(f'{head}: FAILED, {reason}')

    def _summarize(self) -> None:
        if not self.failures:
            return
        total, blocked = len(self.graph), self._scheduler.blocked
        self._report(f'{len(self.failures)} of {total} jobs failed:')
        for key, reason in self.failures.items():
            log = log_of(self.graph[key], self._root)
            where = f' (log in {log})' if log.exists() else ''
            self._report(f'    {key}: {reason}{where}')
        if blocked:
            self._report(f'{len(blocked)} jobs did not run, since they need one of these:')
            for key, needed in blocked.items():
                self._report(f'    {key} needs {needed}')


def describe_code(code: int) -> str:
    """Return an exit status as text.

    Args:
        code: Exit status, or the negative number of a signal.
    """
    if code < 0:
        return f'killed by {signal.Signals(-code).name}'
    return f'exit status {code}' if code else 'it ended without its result'


def describe_stop(code: int) -> str:
    """Return the signal that stopped a command, as text; empty if it ended otherwise.

    Args:
        code: Exit status, 128 and more for a signal that the command handled, or the negative
            number of a signal.
    """
    number = -code if code < 0 else code - 128
    is_stop = number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    return f'stopped by {signal.Signals(number).name}' if is_stop else ''


def duration(seconds: float) -> str:
    """Return a duration as text, such as ``'1:02:03'``.

    Args:
        seconds: Duration in seconds, >= 0.
    """
    return str(timedelta(seconds=round(seconds)))
