"""The function that a job on a cluster runs: a training as a command, which may be interrupted.

A job takes this class along by value, with the functions that it uses. So its process imports
nothing of this library, and the training, a process of its own, does.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

from .child import signal_group, start_child
from .job_log import final_line, first_line
from .workers import changed

IGNORED = ('SIGUSR1', 'SIGUSR2')
"""Signals of clusters that reach all processes of a job on some, and would end the training."""


class ClusterJob:
    """Runs a command, and writes its output to a log.

    SIGTERM lets the command save and stop, and the job fails; a cluster sends it on cancellation
    and before it requeues a job itself. The signal that submitit sends before the time limit does
    the same, and then the job is requeued. It continues there, unless five interruptions in a row
    came without a new checkpoint or shard in the work dir.

    Args:
        command: Program and its arguments; ``python`` is the job's.
        cwd: Present folder of the command.
        log: Path of the log.
        folder: Work dir of the command.
        files: Paths of the files that it needs, which may appear late in shared folders.
        env: Changes of environment variables; None removes one.
        patience: Seconds for which it waits for such files, >= 0.
    """

    CLAIMED = 75
    WAIT_FOR_CLAIM = 60.0
    STALLS = 5
    PROGRESS = ('.pth', '.safetensors')

    def __init__(
        self,
        command: Sequence[str],
        cwd: str,
        log: str,
        folder: str,
        files: Sequence[str] = (),
        env: Mapping[str, str | None] | None = None,
        patience: float = 60.0,
    ):
        self.command = list(command)
        self.cwd, self.log, self.folder = cwd, log, folder
        self.files = list(files)
        self.env = dict(env or {})
        self.patience = patience
        self.seen: list[str] | None = None  # files in the folder at the last interruption
        self.stalls = 0

    def __call__(self) -> None:
        """Run the command to its end.

        Raises:
            RuntimeError: If it fails.
        """
        os.chdir(self.cwd)
        self._wait_for_files()
        received: list[int] = []
        child: list[subprocess.Popen] = []

        def handle(number: int, frame: Any = None) -> None:
            # the first one alone: a second SIGTERM would end the training before it has saved
            if not received and child:
                signal_group(child[0], signal.SIGTERM)
            received.append(number)

        requeueing = getattr(signal, f'SIG{os.environ.get("SUBMITIT_PREEMPT_SIGNAL", "USR2")}')
        requeue = signal.signal(requeueing, handle)
        signal.signal(signal.SIGTERM, handle)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # submitit kills a second later
        code = self._attempt(received, child)
        while code == self.CLAIMED and not received:  # another launch works there
            end = time.monotonic() + self.WAIT_FOR_CLAIM
            while time.monotonic() < end and not received:
                time.sleep(0.5)
            code = self._attempt(received, child)
        if code and requeueing in received and callable(requeue):
            requeue(requeueing, None)  # submitit's, which calls checkpoint() and ends the process
        if code:
            raise RuntimeError(f'{self.folder}: the command ended with status {code}')

    def checkpoint(self) -> Any:
        """Return what submitit runs in place of this job; None if it is of no use."""
        from submitit.core.utils import DelayedSubmission

        files = sorted(name for name in os.listdir(self.folder) if name.endswith(self.PROGRESS))
        self.stalls = self.stalls + 1 if files == self.seen else 0
        self.seen = files
        if self.stalls >= self.STALLS:
            reason = f'{self.STALLS} interruptions without a new checkpoint in {self.folder}'
            self._note(f'{reason}; give more --time{final_line(1, 0.0)}')
            return None
        return DelayedSubmission(self)

    def _attempt(self, received: list[int], child: list[subprocess.Popen]) -> int:
        """Run the command once, and return its exit status."""
        words = [sys.executable if self.command[0] == 'python' else self.command[0]]
        words += self.command[1:]
        start = time.monotonic()
        os.makedirs(os.path.dirname(self.log), exist_ok=True)
        with open(self.log, 'a', encoding='utf-8') as file:
            file.write(first_line(words))
            file.flush()
            child[:] = [start_child(words, changed(os.environ, self.env), file, IGNORED)]
        if received:  # before it was started
            signal_group(child[0], signal.SIGTERM)
        code = child[0].wait()
        self._note(final_line(code, time.monotonic() - start))
        return code

    def _wait_for_files(self) -> None:
        """Wait for files that a job on another machine has made; the command makes what lacks."""
        end = time.monotonic() + self.patience
        for path in self.files:
            while not os.path.exists(path) and time.monotonic() < end:
                time.sleep(1)
                if os.path.isdir(os.path.dirname(path)):
                    os.listdir(os.path.dirname(path))  # NFS then reads the folder anew

    def _note(self, line: str) -> None:
        with open(self.log, 'a', encoding='utf-8') as file:
            file.write(line.rstrip('\n') + '\n')
