"""What runs the jobs of a grid: processes of this machine, each with its share of it."""

from __future__ import annotations

import codecs
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Protocol

import torch

from mmtmix.checks import check_integer

from .child import Children
from .graph import Job
from .job_log import final_line, first_line

_THREADS = ('OMP_NUM_THREADS', 'MKL_NUM_THREADS')
_VISIBLE = 'CUDA_VISIBLE_DEVICES'


class Started(Protocol):
    """A job that was started."""

    def poll(self) -> int | None:
        """Return its exit status; None while it runs."""


class Workers(Protocol):
    """Starts jobs.

    Attributes:
        slots: Number of jobs that may run at the same time, >= 1.
    """

    slots: int

    @property
    def received(self) -> list[int]:
        """Numbers of the signals to end that came; no further job is started then."""

    def start(self, job: Job, command: Sequence[str], log: Path, slot: int) -> Started:
        """Start a job.

        Args:
            job: Job to start.
            command: Program and its arguments.
            log: File for its output.
            slot: Number of the free slot that it takes, 0 to slots - 1.

        Raises:
            OSError: If it cannot be started.
        """

    def running(self) -> AbstractContextManager[None]:
        """Return a context in which jobs run and signals are handled."""


class ProcessWorkers:
    """Runs jobs as processes of this machine.

    One job at a time has the whole machine, and what it writes to its log is shown on stdout, too.
    Several have a share of the cores, or GPUs of their own.

    Args:
        slots: Number of jobs that may run at the same time, >= 1.
        gpus: Number of processes per job, each with a GPU of its own if there are GPUs, >= 1.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If one is out of its range, or there are too few GPUs.
    """

    def __init__(self, slots: int = 1, gpus: int = 1):
        self.slots = slots
        self._shares = shares(slots, gpus)
        self._children = Children()

    @property
    def received(self) -> list[int]:
        """Numbers of the signals that came."""
        return self._children.received

    @contextmanager
    def running(self) -> Iterator[None]:
        """Pass signals on to the jobs while the body runs."""
        with self._children.forwarding():
            yield

    def start(self, job: Job, command: Sequence[str], log: Path, slot: int) -> Started:
        """Start a job; see :class:`Workers`.

        Args:
            job: Job to start.
            command: Program and its arguments; ``python`` is this one.
            log: File for its output.
            slot: Number of the free slot that it takes.

        Raises:
            OSError: If it cannot be started.
        """
        words = [sys.executable if command[0] == 'python' else command[0], *command[1:]]
        env = changed(os.environ, self._shares[slot])
        if '--divide-batch' in command:
            env['PORT'] = str(free_port())  # launches on one machine must not share one
        log.parent.mkdir(parents=True, exist_ok=True)
        with open(log, 'a', encoding='utf-8') as file:  # the process has a handle of its own
            file.write(first_line(words))
            file.flush()
            end = os.fstat(file.fileno()).st_size
            child = self._children.start(words, env, file)
        return _Process(child.poll, log, end if self.slots == 1 else None)


class _Process:
    """A process and its log, which is shown on stdout if it is the only process.

    The process writes to the log itself, and not to a pipe: it goes on if its starter is killed.
    """

    def __init__(self, poll: Callable[[], int | None], log: Path, shown: int | None):
        self._poll = poll
        self._log = log
        self._shown = shown  # bytes of the log that were shown; None if none is to be
        self._decode = codecs.getincrementaldecoder('utf-8')(errors='replace').decode
        self._start = time.monotonic()

    def poll(self) -> int | None:
        """Return the exit status; None while it runs. It is logged once, when it is there."""
        code = self._poll()
        if self._shown is not None:
            self._show(self._shown)
        if code is not None:
            with suppress(OSError), open(self._log, 'a', encoding='utf-8') as file:
                file.write(final_line(code, time.monotonic() - self._start))
        return code

    def _show(self, start: int) -> None:
        with open(self._log, 'rb') as file:
            file.seek(start)
            content = file.read()
        self._shown = start + len(content)
        if content:
            sys.stdout.write(self._decode(content))
            sys.stdout.flush()


def shares(slots: int, gpus: int = 1) -> list[dict[str, str]]:
    """Return the environment variables of each slot, which divide this machine among them.

    Cores are those that this process may use. A number of threads that is set already is an upper
    limit. The number of loader workers stays that of the config, since results depend on it.

    Args:
        slots: Number of jobs that may run at the same time, >= 1.
        gpus: Number of GPUs per job, if there are GPUs, >= 1.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If one is out of its range, or there are too few GPUs.
    """
    check_integer('slots', slots, 1)
    check_integer('gpus', gpus, 1)
    if slots == 1:
        return [{}]
    threads = {}
    for name in _THREADS:
        given = os.environ.get(name, '')
        share = max(1, usable_cores() // (slots * gpus))
        threads[name] = str(min(share, int(given)) if given.isdigit() and int(given) else share)
    cards = visible_gpus()
    if not cards:
        return [dict(threads) for _ in range(slots)]
    if slots * gpus > len(cards):
        raise ValueError(
            f'{slots} jobs at a time with {gpus} GPUs each need {slots * gpus} GPUs, but '
            f'{len(cards)} are visible; lower the number of jobs to {max(1, len(cards) // gpus)}'
        )
    parts = (cards[slot * gpus : (slot + 1) * gpus] for slot in range(slots))
    return [threads | {_VISIBLE: ','.join(part)} for part in parts]


def usable_cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, 'sched_getaffinity'):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def visible_gpus() -> list[str]:
    """Return the names of the GPUs that this process sees, as in ``CUDA_VISIBLE_DEVICES``."""
    count = torch.cuda.device_count()
    given = os.environ.get(_VISIBLE)
    if count and given is not None:
        return [name.strip() for name in given.split(',')][:count]
    return [str(number) for number in range(count)]


def free_port() -> int:
    """Return a TCP port that no process of this machine uses now."""
    with socket.socket() as server:
        server.bind(('127.0.0.1', 0))
        return server.getsockname()[1]


def changed(env: Mapping[str, str], changes: Mapping[str, str | None]) -> dict[str, str]:
    """Return an environment with changes.

    Args:
        env: Environment variables by name.
        changes: New values by name; None removes a variable.
    """
    both = {**env, **changes}
    return {name: value for name, value in both.items() if value is not None}
