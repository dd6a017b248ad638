"""Commands that end together with this process."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import IO, Any

_SIGNALS = tuple(
    getattr(signal, name) for name in ('SIGINT', 'SIGTERM', 'SIGHUP') if hasattr(signal, name)
)
_SET_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of prctl(2)
_PATIENCE = 2  # number of signals after which the commands are killed


class Children:
    """Commands that run at the same time.

    Within :meth:`forwarding`, SIGINT, SIGTERM and SIGHUP are passed on to all processes of all
    commands, which may then save their state. The third such signal kills them. If this process is
    killed, Linux sends SIGTERM to each command.

    Attributes:
        received: Numbers of the signals that this process received, in order.
    """

    def __init__(self) -> None:
        self.received: list[int] = []
        self._running: list[subprocess.Popen] = []

    def start(
        self, command: Sequence[str], env: Mapping[str, str], output: IO | None = None
    ) -> subprocess.Popen:
        """Start a command and return its process.

        Args:
            command: Program and its arguments.
            env: Environment of the command.
            output: File that gets its stdout and stderr; by default it has those of this process.

        Raises:
            FileNotFoundError: If there is no such program.
            OSError: If it cannot be started.
        """
        self._running = [child for child in self._running if child.returncode is None]
        child = start_child(command, env, output)
        self._running.append(child)
        if self.received:  # before it was started
            self._signal(child, self.received[-1])
        return child

    @contextmanager
    def forwarding(self) -> Iterator[None]:
        """Pass signals on while the body runs."""

        def forward(number: int, frame: Any = None) -> None:
            self.received.append(number)
            for child in self._running:
                self._signal(child, number)

        with handling(forward):
            yield

    def _signal(self, child: subprocess.Popen, number: int) -> None:
        if child.returncode is None:
            signal_group(child, number if len(self.received) <= _PATIENCE else signal.SIGKILL)


def run_child(command: Sequence[str], env: Mapping[str, str]) -> int:
    """Run a command to its end, with signals passed on as :class:`Children` does.

    Args:
        command: Program and its arguments.
        env: Environment of the command.

    Returns:
        Exit status of the command; the negative number of a signal that killed it.

    Raises:
        FileNotFoundError: If there is no such program.
        OSError: If it cannot be started.
        Stopped: If this process received such a signal, once the command has ended.
    """
    from mmtmix.utils import Stopped  # jobs on a cluster use this module without this library

    children = Children()
    with children.forwarding():
        code = children.start(command, env).wait()
    if children.received:
        raise Stopped(children.received[0])
    return code


def start_child(
    command: Sequence[str],
    env: Mapping[str, str],
    output: IO | None = None,
    ignored: Sequence[str] = (),
) -> subprocess.Popen:
    """Start a command in a session of its own; it gets SIGTERM when this process ends (Linux).

    Args:
        command: Program and its arguments.
        env: Environment of the command.
        output: File that gets its stdout and stderr; by default it has those of this process.
        ignored: Names of signals that have no effect on it.

    Raises:
        FileNotFoundError: If there is no such program.
        OSError: If it cannot be started.
    """
    die_with_us = _death_signal(os.getpid()) if sys.platform == 'linux' else None
    numbers = [getattr(signal, name) for name in ignored]

    def prepare() -> None:
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)
        if die_with_us is not None:
            die_with_us()

    errors = None if output is None else subprocess.STDOUT
    return subprocess.Popen(
        command,
        env=env,
        stdout=output,
        stderr=errors,
        start_new_session=True,
        preexec_fn=prepare,
    )


def signal_group(child: subprocess.Popen, number: int) -> None:
    """Send a signal to a command and its workers.

    Args:
        child: Process from :func:`start_child`, which leads a session.
        number: Number of the signal.
    """
    with suppress(ProcessLookupError):
        os.killpg(child.pid, number)


@contextmanager
def handling(handler: Callable[[int, Any], object]) -> Iterator[None]:
    """Handle signals that end this process, in the main thread; Python allows them there alone.

    Args:
        handler: Function that takes the number of a signal and a frame.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    # signals that a shell ignores (nohup, a command in the background) stay ignored
    handled = [number for number in _SIGNALS if signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, handler) for number in handled}
    try:
        yield
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)


def _death_signal(parent: int) -> Callable[[], None]:
    """Return a function that a new process calls to get SIGTERM when its parent ends."""
    # found before fork, since little is safe between fork and exec
    prctl = ctypes.CDLL(None).prctl

    def request() -> None:
        prctl(_SET_DEATH_SIGNAL, signal.SIGTERM)
        if os.getppid() != parent:  # the parent ended before the request
            os._exit(1)

    return request
