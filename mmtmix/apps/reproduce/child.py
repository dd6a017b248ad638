"""A command that ends with the process that started it."""

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

    Signals to this process that ask it to end go to all processes of the command, which may save
    what they have; the third one kills them. If this process is killed, Linux sends the command
    SIGTERM.

    Args:
        command: Program and arguments.
        env: Environment of the command.
        tick: Function that is called while the command runs.
        every: Seconds between two ticks.

    Returns:
        Its exit status; of a command that a signal killed, the negative number.

    Raises:
        FileNotFoundError: If there is no such program.
        OSError: If it can't be started.
        Stopped: If this process was asked to end, once the command has ended.
    """
    received: list[int] = []
    children: list[subprocess.Popen] = []

    def forward(number: int, frame: Any = None) -> None:
        received.append(number)
        for child in children:
            with suppress(ProcessLookupError):
                group = child.pid  # of a session of its own, so that its workers get it, too
                os.killpg(group, number if len(received) <= _PATIENCE else signal.SIGKILL)

    with _handling(forward):
        die_with_us = _death_signal(os.getpid()) if sys.platform == 'linux' else None
        with subprocess.Popen(
            command, env=env, start_new_session=True, preexec_fn=die_with_us
        ) as child:
            children.append(child)
            if received:  # before there was a child
                forward(received.pop())
            while True:
                try:
                    code = child.wait(timeout=every)
                    break
                except subprocess.TimeoutExpired:
                    tick()
    if received:
        raise Stopped(received[0])
    return code


@contextmanager
def _handling(handler: Callable[[int, Any], object]) -> Iterator[None]:
    """Handle signals that end this process; Python has handlers in the main thread alone."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    # what a shell has switched off (nohup, a command in the background) stays so
    heard = [number for number in _SIGNALS if signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, handler) for number in heard}
    try:
        yield
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)


def _death_signal(parent: int) -> Callable[[], None]:
    """Return what a new process calls to get SIGTERM when its parent dies."""
    prctl = ctypes.CDLL(None).prctl  # looked up now: between fork and exec little is safe

    def request() -> None:
        prctl(_SET_DEATH_SIGNAL, signal.SIGTERM)
        if os.getppid() != parent:  # it died before
            os._exit(1)

    return request
