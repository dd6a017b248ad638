"""Run a tool, and show errors of users in one line and faults of this library with traceback.

| what ends the command | stderr | exit status |
|---|---|---|
| nothing | | 0, or the integer that ``main`` returns |
| a user's error, see :func:`is_user_error` | one line | 2 |
| another process that works in its folder | one line | 75 |
| a ``RuntimeError`` that this library raises on purpose, such as a diverged loss | one line | 1 |
| a command that a tool has started, and which has shown its own error | one line | its own |
| Ctrl-C, SIGTERM | one line | 130, 143 |
| the end of the program that reads its output, such as ``head`` | | 141 |
| anything else | the traceback | 1 |
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from mmtmix.program import DEBUG

from .claims import ClaimedError
from .stopping import Stopped

USER_ERROR, FAILURE = 2, 1
CLAIMED = 75  # EX_TEMPFAIL of sysexits.h: a later attempt may succeed
_PACKAGE = Path(__file__).resolve().parents[1]
_PATIENCE = 5.0  # seconds in which torchrun may end this process after another one has failed


def run_command(
    main: Callable[[list[str]], Any], name: str, argv: Sequence[str] | None = None
) -> int:
    """Run a tool's ``main`` and return the exit status of the process.

    An error that ends the tool is shown on stderr, in one line unless it lists several things. If
    a launch has several processes and its launcher stops the others, only the first one to fail
    shows its error.

    Args:
        main: Function that takes the arguments. An integer that it returns is the exit status.
        name: Name of the tool, or its file (``__file__``), at the start of the line.
        argv: Arguments of the tool; ``sys.argv[1:]`` if None.
    """
    given = list(sys.argv[1:] if argv is None else argv)
    shows_traceback = DEBUG in given
    name = Path(name).name
    try:
        status = main([argument for argument in given if argument != DEBUG])
        sys.stdout.flush()  # here, where a closed pipe is no fault
    except KeyboardInterrupt as error:
        signum = error.signum if isinstance(error, Stopped) else signal.SIGINT
        if launch_rank() == 0:
            report = f'; {error}' if str(error) else ''
            _show(f'{name}: stopped by {signal.Signals(signum).name}{report}')
        return 128 + signum
    except Exception as error:
        if isinstance(error, BrokenPipeError) and _drop_closed_pipe():
            return 128 + signal.SIGPIPE
        status = exit_status(error)
        prefix = _wait_for_others()
        if shows_traceback or status is None:
            traceback.print_exc()
        else:
            _show(f'{name}: error: {prefix}{describe_error(error)}')
        return FAILURE if status is None else status
    return status if isinstance(status, int) else 0


def exit_status(error: BaseException) -> int | None:
    """Return the exit status of an error that is shown in one line; None for a fault of ours.

    Args:
        error: Error that ended a tool.
    """
    if isinstance(error, ClaimedError):
        return CLAIMED
    if is_user_error(error):
        return USER_ERROR
    if isinstance(error, subprocess.CalledProcessError):
        return error.returncode if error.returncode > 0 else 128 - error.returncode
    if isinstance(error, RuntimeError) and _is_raised_by_us(error.__traceback__):
        return FAILURE
    return None


def is_user_error(error: BaseException) -> bool:
    """Return whether an error comes from the input of the user, and not from a fault in code.

    These are errors of values, types, files, connections, imports and syntax; a ``KeyError`` of a
    registry or of a config's bases; and a field that a config lacks. A ``KeyError`` or
    ``AttributeError`` of other origin, an ``AssertionError``, ``IndexError`` or an error from
    torch is a fault.

    Args:
        error: Error that ended a tool.
    """
    if isinstance(error, UnicodeError):
        return isinstance(error, UnicodeDecodeError)  # a file that is no text
    if isinstance(error, (ValueError, TypeError, OSError, ImportError, SyntaxError)):
        return not isinstance(error, BrokenPipeError)
    if isinstance(error, KeyError):
        return 'registry' in str(error) or 'among bases' in str(error)
    # of mmengine.config.ConfigDict, on which this module must not depend
    return isinstance(error, AttributeError) and "'ConfigDict' object has no" in str(error)


def describe_error(error: BaseException) -> str:
    """Return the message of an error as it is shown to a user.

    It has no quotes around it and no blank lines. An error that lists several things has one line
    per thing. A line that is indented by four is joined to the line before it.

    Args:
        error: Error that ended a tool.
    """
    if isinstance(error, KeyError) and error.args:
        text = str(error.args[0])  # str() would quote it
    elif isinstance(error, AttributeError):
        text = f'the config lacks a field: {error}'
    elif isinstance(error, subprocess.CalledProcessError):
        tool = next((part for part in error.cmd if str(part).endswith('.py')), error.cmd[0])
        text = f'{tool} ended with status {error.returncode}'
    else:
        text = str(error)
    # an error from a worker of a data loader
    if text.startswith('Caught ') and 'Original Traceback' in text:
        text = text.strip().splitlines()[-1].partition(': ')[2] or text
    lines: list[str] = []
    for line in filter(str.strip, text.splitlines()):
        if lines and line.startswith(' ' * 4):
            lines[-1] += f'; {line.strip()}'
        else:
            lines.append(line.rstrip())
    return '\n'.join(lines) or type(error).__name__


def launch_rank() -> int:
    """Return the rank of this process in its launch, from environment variables; 0 if alone."""
    # RANK alone may be left over in a shell from another program
    is_launched = {'TORCHELASTIC_RUN_ID', 'MASTER_ADDR'} & os.environ.keys()
    for variable in (*(['RANK'] if is_launched else []), 'SLURM_PROCID', 'OMPI_COMM_WORLD_RANK'):
        if os.environ.get(variable, '').isdigit():
            return int(os.environ[variable])
    return 0


def warn_user(text: str) -> None:
    """Show a warning in one line on stderr, once per launch.

    Args:
        text: Warning, without a line break.
    """
    if launch_rank() == 0:
        _show(f'warning: {text}')


def _wait_for_others() -> str:
    """Wait for the launcher to end this process if another failed first; return a prefix."""
    rank = launch_rank()
    processes = os.environ.get('WORLD_SIZE', '')
    if rank == 0 or not processes.isdigit() or int(processes) < 2:
        return ''
    time.sleep(_PATIENCE)
    return f'rank {rank}: '


def _drop_closed_pipe() -> bool:
    """Return whether stdout is a pipe that nobody reads; then later output goes nowhere."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        # otherwise the interpreter would fail on its last flush
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return True
    return False


def _is_raised_by_us(trace: TracebackType | None) -> bool:
    files = [frame.f_code.co_filename for frame, _ in traceback.walk_tb(trace)]
    return bool(files) and _PACKAGE in Path(files[-1]).resolve().parents


def _show(text: str) -> None:
    sys.stdout.flush()
    print(text, file=sys.stderr, flush=True)
