"""The end of a command on SIGTERM and on Ctrl-C: at a step boundary if it can wait for one."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

ECHO = 2.0
"""Seconds in which a second SIGTERM counts as the first one.

A cluster may send it to all processes of a job, and the process that started the command passes
it on.
"""


class Stopped(KeyboardInterrupt):
    """A signal has stopped the command; no ``except Exception`` catches it.

    Args:
        signum: Number of the signal.
        report: Line about what is saved and how to go on.
    """

    def __init__(self, signum: int, report: str = ''):
        super().__init__(report)
        self.signum = signum
        self.report = report


class StopRequest:
    """A signal that waits for the end of a step.

    Attributes:
        signum: Number of the signal that came; None if none did.
        is_awaited: Whether a hook stops the run at the next step boundary. Otherwise the signal
            stops the command at once, and so does a second one. Under torchrun a second one is
            ignored: a cluster signals all processes, and torchrun then signals its own again.
    """

    def __init__(self) -> None:
        self.signum: int | None = None
        self.is_awaited = False


stop_request = StopRequest()
"""The request of this process, which has one set of signal handlers."""


def stop_behind(error: BaseException) -> KeyboardInterrupt | None:
    """Return the stop that led to an error; None if none did.

    Code that a signal interrupts may turn the exception into one of its own. So does MMEngine
    while it formats a config.

    Args:
        error: Error that ended a command.
    """
    seen: set[int] = set()  # a chain may lead back to an error in it
    found: BaseException | None = error
    while found is not None and id(found) not in seen:
        if isinstance(found, KeyboardInterrupt):
            return found
        seen.add(id(found))
        found = found.__cause__ or found.__context__
    return None


@contextmanager
def stoppable(describe: Callable[[], str]) -> Iterator[None]:
    """Turn SIGTERM and Ctrl-C into :class:`Stopped` with a report.

    SIGTERM waits for the end of a step while :data:`stop_request` is awaited; a second one, later
    than :data:`ECHO`, does not. Ctrl-C does not wait. The previous handler is restored at the end.
    Outside of the main thread, where Python sets no handlers, SIGTERM is not changed.

    Args:
        describe: Function that returns what is saved and how to continue, after the stop.

    Raises:
        Stopped: If a signal comes.
    """
    owner, came = os.getpid(), 0.0

    def on_sigterm(signum: int, frame: FrameType | None) -> None:
        nonlocal came
        if os.getpid() != owner:  # in a forked worker, which ends by the default
            signal.signal(signum, signal.SIG_DFL)
            os.kill(os.getpid(), signum)
            return
        is_first, stop_request.signum = stop_request.signum is None, signum
        came = time.monotonic() if is_first else came
        is_echo = 'TORCHELASTIC_RUN_ID' in os.environ or time.monotonic() - came <= ECHO
        if not (stop_request.is_awaited and is_echo):
            raise Stopped(signum)

    in_main_thread = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGTERM, on_sigterm) if in_main_thread else None
    try:
        yield
    except BaseException as caught:
        error = stop_behind(caught)
        if error is None:
            raise
        if in_main_thread:  # so that a launcher need not wait for the report
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signum = error.signum if isinstance(error, Stopped) else signal.SIGINT
        when = error.report if isinstance(error, Stopped) else ''
        raise Stopped(signum, '; '.join(filter(None, (when, describe())))) from caught
    finally:
        stop_request.signum, stop_request.is_awaited = None, False
        if in_main_thread:
            signal.signal(signal.SIGTERM, before or signal.SIG_DFL)
