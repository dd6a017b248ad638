"""The process that holds a claim."""

from __future__ import annotations

import os
import shlex
import socket
import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True)
class Holder:
    """The process that works in a folder.

    Attributes:
        host: Name of the machine.
        pid: Number of the process.
        started: Time at which the kernel started the process, in ticks; None if unknown. A later
            process of the same number has another.
        command: Command line of the process.
        since: Time at which it claimed the folder, in ISO 8601.
    """

    host: str
    pid: int
    started: int | None
    command: str
    since: str

    @classmethod
    def here(cls) -> Holder:
        """Return this process, with the present time."""
        return cls.of(os.getpid(), shlex.join([Path(sys.executable).name, *sys.argv]))

    @classmethod
    def of(cls, pid: int, command: str = '') -> Holder:
        """Return a process of this machine, with the present time.

        Args:
            pid: Number of the process.
            command: Command line of the process.
        """
        return cls(
            socket.gethostname(),
            pid,
            _start_of(pid),
            command,
            datetime.now().astimezone().isoformat(timespec='seconds'),
        )

    @property
    def is_here(self) -> bool:
        """Whether it is on this machine, by the machine's name."""
        return self.host == socket.gethostname()

    @property
    def is_alive(self) -> bool:
        """Whether the process exists, if it is on this machine."""
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except OSError:  # of another user
            pass
        started = _start_of(self.pid)
        return None in (started, self.started) or started == self.started

    def __str__(self) -> str:
        return f'process {self.pid} on {self.host} since {self.since} (`{self.command}`)'


def _start_of(pid: int) -> int | None:
    """Return the start of a process in ticks since that of the machine; None without /proc."""
    try:
        text = Path(f'/proc/{pid}/stat').read_text()
    except OSError:
        return None
    return int(text.rpartition(')')[2].split()[19])
