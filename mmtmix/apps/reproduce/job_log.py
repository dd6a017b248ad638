"""The log of a job: the output of all its attempts, each between a first and a final line."""

from __future__ import annotations

import json
import os
import re
import shlex
import socket
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from mmtmix.engine.run_record import read_record
from mmtmix.utils.holder import Holder
from mmtmix.utils.living_holder import living_holder

from .graph import Job

LOGS = 'logs'
"""Folder of the logs, in that of the runs."""

_MARK = '=== mmtmix job '
_TAIL = 1 << 14  # bytes in which the last line of an attempt is found
_CONTROL = re.compile(r'\x1b\[[0-9;]*[A-Za-z]')  # of terminals


@dataclass(frozen=True)
class Attempt:
    """The newest attempt of a job, by its log.

    Attributes:
        code: Exit status; None if the log has no end of it.
        seconds: Duration in seconds; None without an end.
        last_line: Last line that the attempt wrote; empty if it wrote none.
        starter: Process that started it and waits for its end, with the command of the attempt;
            None if the log is too long.
    """

    code: int | None
    seconds: float | None
    last_line: str
    starter: Holder | None = None


def first_line(command: Sequence[str]) -> str:
    """Return the line that begins an attempt.

    Args:
        command: Program and its arguments.
    """
    # the fields of a `Holder`, whose module is not here: jobs on clusters take this function along
    holder = dict(
        host=socket.gethostname(),
        pid=os.getpid(),
        started=None,
        since=_now(),
        boot=None,
        namespace=None,
        command=shlex.join(command),
    )
    with suppress(OSError):  # there is no /proc everywhere
        text = Path('/proc/self/stat').read_text()
        holder['started'] = int(text.rpartition(')')[2].split()[19])
        holder['boot'] = Path('/proc/sys/kernel/random/boot_id').read_text().strip()
        holder['namespace'] = os.readlink('/proc/self/ns/pid')
    return f'{_MARK}started: {json.dumps(holder)}\n'


def final_line(code: int, seconds: float) -> str:
    """Return the line that ends an attempt.

    Args:
        code: Exit status, or the negative number of a signal.
        seconds: Duration of the attempt, >= 0.
    """
    return f'\n{_MARK}ended with status {code} after {seconds:.1f} s at {_now()}\n'


def read_attempt(path: str | os.PathLike) -> Attempt | None:
    """Return the newest attempt in a log; None if there is none.

    Args:
        path: Path of the log.
    """
    try:
        with open(path, 'rb') as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - _TAIL))
            text = file.read().decode(errors='replace')
    except OSError:
        return None
    code, seconds, last, starter = None, None, '', None
    lines = [_CONTROL.sub('', line).strip() for line in re.split(r'[\r\n]+', text)]
    for line in reversed([line for line in lines if line]):
        ended = re.match(rf'{_MARK}ended with status (-?\d+) after ([\d.]+) s', line)
        if ended and code is None and not last:
            code, seconds = int(ended[1]), float(ended[2])
        elif line.startswith(_MARK):
            starter = _starter(line)
            break
        else:
            last = last or line
    return Attempt(code, seconds, last, starter)


def _starter(line: str) -> Holder | None:
    """Return the process in the first line of an attempt."""
    try:
        return Holder.from_content(json.loads(line.removeprefix(f'{_MARK}started: ')))
    except (ValueError, TypeError):  # cut off by a kill
        return None


def log_of(job: Job, root: str | os.PathLike) -> Path:
    """Return the path of a job's log.

    Args:
        job: Job of a grid.
        root: Folder of all runs.
    """
    path = os.path.relpath(job.folder, root) if job.run is not None else job.folder
    parts = [part for part in Path(path).parts if part not in ('..', os.sep)]
    return Path(root, LOGS, *parts[:-1], f'{parts[-1]}.log')


def worker_of(job: Job, root: str | os.PathLike) -> Holder | None:
    """Return the living process that works on a job, or that has just started it; None if none.

    Between its start and its claim of the folder, a training imports for seconds. In this time its
    log names the process that started it, which only its own machine can check.

    Args:
        job: Job of a grid.
        root: Folder of all runs.
    """
    if (holder := living_holder(job.folder)) is not None:
        return holder
    attempt = read_attempt(log_of(job, root))
    starter = attempt.starter if attempt is not None and attempt.code is None else None
    return starter if starter is not None and starter.is_here and starter.is_alive else None


def last_line(job: Job, root: str | os.PathLike) -> str:
    """Return the error in a job's record, or else the last line of its log; empty without both.

    Args:
        job: Job that failed.
        root: Folder of all runs.
    """
    attempt = read_attempt(log_of(job, root))
    if attempt is not None and attempt.last_line:
        return attempt.last_line
    try:
        return read_record(job.folder).get('error') or ''
    except ValueError as error:
        return str(error)


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec='seconds')
