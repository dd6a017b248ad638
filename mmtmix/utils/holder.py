"""The process that holds a claim."""

from __future__ import annotations

import os
import shlex
import socket
import sys
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any

_BOOT_ID = '/proc/sys/kernel/random/boot_id'


@dataclass(frozen=True)
class Holder:
    """The process that works in a folder or on a file.

    Attributes:
        host: Name of the machine.
        pid: Number of the process.
        started: Time at which the kernel started the process, in ticks; None if unknown. A later
            process of the same number has another.
        command: Command line of the process.
        since: Time at which it claimed the folder, in ISO 8601. It is for people alone, since
            clocks may be wrong.
        boot: Random name of the kernel's run, which changes when the machine starts; None where
            the system has none.
        namespace: Name of the process's set of process numbers; None where the system has none.
            A container has a set of its own, and often the machine's or another one's host name.
        token: Random name of the claim.
    """

    host: str
    pid: int
    started: int | None
    command: str
    since: str
    boot: str | None = None
    namespace: str | None = None
    token: str = ''

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
            _boot(),
            _namespace(),
            uuid.uuid4().hex[:12],
        )

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> Holder:
        """Return the process that a claim file describes.

        Args:
            content: Content of the file; keys of other versions are left out.

        Raises:
            TypeError: If the content is no mapping, or a field is missing.
        """
        if not isinstance(content, Mapping):
            raise TypeError(f'content must be a mapping, got {type(content).__name__}')
        names = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in content.items() if name in names})

    @property
    def is_here(self) -> bool:
        """Whether its number names a process that this one could see.

        That needs the same machine, the same run of its kernel, and the same set of process
        numbers. Otherwise a process of that number may be another one.
        """
        here = socket.gethostname(), _boot(), _namespace()
        return (self.host, self.boot, self.namespace) == here

    @property
    def is_alive(self) -> bool:
        """Whether the process exists, if :attr:`is_here`."""
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
    """Return the start of a process in ticks since that of the machine.

    Returns:
        The ticks; -1 if it has ended and its parent has not noticed yet; None without /proc.
    """
    try:
        text = Path(f'/proc/{pid}/stat').read_text()
    except OSError:
        return None
    # the name of the program, in parentheses, may hold spaces
    status = text.rpartition(')')[2].split()
    return -1 if status[0] in 'ZX' else int(status[19])


def _boot() -> str | None:
    """Return the random name of the kernel's run; None without /proc."""
    try:
        return Path(_BOOT_ID).read_text().strip()
    except OSError:
        return None


def _namespace() -> str | None:
    """Return the name of this process's set of process numbers; None without /proc."""
    try:
        return os.readlink('/proc/self/ns/pid')
    except OSError:
        return None
