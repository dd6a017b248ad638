"""Running of a command that ends together with this process."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from mmtmix.utils import Stopped

_SIGNALS = tuple(
    getattr(signal, name) for name in ('SIGINT', 'SIGTERM', 'SIGHUP') if hasattr(signal, name)
)
_SET_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of prctl(2)
_PATIENCE = 2  # number of signals after which the child is killed


def run_child(
    command: Sequence[str],
    env: Mapping[str, str],
    tick: Callable[[], object] = lambda: None,
    every: float = 30.0,
) -> int:
    """Run a command to its end.

    SIGINT, SIGTERM and SIGHUP are passed on to all processes of the command, which may then save
    their state. The third such signal kills them. If this process is killed, Linux sends SIGTERM
    to the command.

    Args:
        command: Program and its arguments.
        env: Environment of the command.
        tick: Function that is called while the command runs. If it returns True, the command
            receives SIGTERM.
        every: Seconds between two calls of `tick`, > 0.

    Returns:
        Exit status of the command; the negative number of a signal that killed it.

    Raises:
        FileNotFoundError: If there is no such program.
        OSError: If it cannot be started.
        Stopped: If this process received such a signal, once the command has ended.
    """
    received: list[int] = []
    children: list[subprocess.Popen] = []

    def forward(number: int, frame: Any = None) -> None:
        received.append(number)
        for child in children:
            with suppress(ProcessLookupError):
                # the child leads a session, so the signal reaches its workers, too
                group = child.pid
                os.killpg(group, number if len(received) <= _PATIENCE else signal.SIGKILL)

    with _handling(forward):
        die_with_us = _death_signal(os.getpid()) if sys.platform == 'linux' else None
        with subprocess.Popen(
            command, env=env, start_new_session=True, preexec_fn=die_with_us
        ) as child:
            children.append(child)
            if received:  # before the child was started
                forward(received.pop())
            while True:
                try:
                    code = child.wait(timeout=every)
                    break
                except subprocess.TimeoutExpired:
                    if tick() is True:
                        with suppress(ProcessLookupError):
                            os.killpg(child.pid, signal.SIGTERM)
    if received:
        raise Stopped(received[0])
    return code


@contextmanager
def _handling(handler: Callable[[int, Any], object]) -> Iterator[None]:
    """Handle signals that end this process; Python allows handlers in the main thread alone."""
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
