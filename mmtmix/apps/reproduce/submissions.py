"""What was submitted to Slurm for the runs of a folder, and what of it is still in the queue."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from mmtmix.utils import atomic_path

FILE = 'jobs.json'
"""Name of the file with all submissions, in the folder of all runs."""

_QUEUE = ['squeue', '--me', '--noheader', '--array', '--format=%F|%K|%T|%j']


@dataclass
class Submission:
    """A job or job array of Slurm.

    Attributes:
        name: Name of the job, which no other submission has.
        keys: Keys of its jobs. A job array has their places as task numbers.
        id: Number of the job; None if it isn't known whether it was submitted.
    """

    name: str
    keys: list[str]
    id: str | None = None

    def id_of(self, key: str) -> str:
        """Return the number of one job, such as ``'123_4'`` in an array.

        Args:
            key: Key of the job.
        """
        return f'{self.id}_{self.keys.index(key)}' if len(self.keys) > 1 else str(self.id)


def read_submissions(root: str | os.PathLike) -> list[Submission]:
    """Return all submissions, the newest last.

    Args:
        root: Folder of all runs.

    Raises:
        ValueError: If their file is damaged.
    """
    path = Path(root, FILE)
    try:
        content = json.loads(path.read_bytes())
        return [Submission(**each) for each in content]
    except FileNotFoundError:
        return []
    except (ValueError, TypeError) as error:
        raise ValueError(
            f'{path} is damaged ({error}); delete it if no job of it is in the queue'
        ) from error


def write_submissions(root: str | os.PathLike, submissions: Sequence[Submission]) -> None:
    """Write all submissions.

    Args:
        root: Folder of all runs.
        submissions: Submissions, the newest last.

    Raises:
        OSError: If the file can't be written.
    """
    with atomic_path(Path(root, FILE)) as temporary:
        text = json.dumps([asdict(each) for each in submissions], indent=1)
        temporary.write_text(text + '\n', encoding='utf-8')


@dataclass(frozen=True)
class Queue:
    """The user's jobs that wait or run on the cluster.

    Attributes:
        states: State such as ``'PENDING'`` by the number of each job, such as ``'123_4'``.
        ids: Number of each job or array by its name.
    """

    states: dict[str, str]
    ids: dict[str, str]


def read_queue() -> Queue:
    """Return the user's jobs that wait or run on the cluster.

    A job that is completing has ended, well or not, and only its machine is not free yet. So it
    is among the numbers by name, and not among the states.

    Raises:
        OSError: If ``squeue`` is missing or fails, so that this isn't known.
    """
    try:
        found = subprocess.run(_QUEUE, capture_output=True, text=True, check=True, timeout=120)
    except FileNotFoundError as error:
        raise FileNotFoundError(
            'squeue is not on PATH, so it is not known which jobs are in the queue; run this on a '
            'machine of the cluster'
        ) from error
    except subprocess.SubprocessError as error:
        text = (getattr(error, 'stderr', None) or str(error)).strip()
        raise OSError(
            f'squeue failed, so it is not known which jobs are in the queue: {text}'
        ) from error
    states, ids = {}, {}
    for line in found.stdout.splitlines():
        number, task, state, name = line.strip().split('|', 3)
        ids[name] = number
        if state != 'COMPLETING':
            is_task = re.fullmatch(r'\d+', task) is not None
            states[f'{number}_{task}' if is_task else number] = state
    return Queue(states, ids)


def queued(submissions: Sequence[Submission], queue: Queue) -> dict[str, tuple[str, str]]:
    """Return number and state of the jobs that are in the queue, by their keys.

    Args:
        submissions: Submissions, the newest last.
        queue: The user's jobs on the cluster.
    """
    found = {}
    for submission in submissions:
        for key in submission.keys if submission.id else ():
            number = submission.id_of(key)
            if number in queue.states:
                found[key] = number, queue.states[number]
    return found
