"""Running of the runs that are missing."""

from __future__ import annotations

import os
import shlex
import signal
import sys
from collections.abc import Callable, Sequence

from mmtmix.checks import check_flag
from mmtmix.utils import Stopped
from mmtmix.utils.claims import claim_folder

from .child import run_child
from .runs import Run, State


def execute(
    runs: Sequence[Run],
    tools: str | os.PathLike,
    dry_run: bool = False,
    report: Callable[[str], object] = print,
) -> list[Run]:
    """Run each run that is not done, in order; a run that fails does not stop the others.

    Args:
        runs: Runs in order; a run that is listed twice runs once.
        tools: Folder of the scripts of ``tools/``.
        dry_run: Whether the commands are only printed.
        report: Function that takes a line about the progress.

    Returns:
        The runs that failed, and those that another process is running.

    Raises:
        Stopped: If this process receives a signal to end, once the present command has ended.
        TypeError: If an argument is of another type.
    """
    check_flag('dry_run', dry_run)
    failed = []
    todo = list(dict.fromkeys(runs))
    for number, run in enumerate(todo, 1):
        head = f'[{number}/{len(todo)}] {run.folder}'
        try:
            is_done = _execute(run, head, tools, dry_run, report)
        except (OSError, ValueError) as error:
            # a bad cell or a full disk need not stop the others
            report(f'{head}: {error}')
            is_done = False
        if not is_done:
            failed.append(run)
    if failed:
        report(f'{len(failed)} of {len(todo)} runs failed:')
        for run in failed:
            report(f'    {run.folder}')
    return failed


def _execute(
    run: Run,
    head: str,
    tools: str | os.PathLike,
    dry_run: bool,
    report: Callable[[str], object],
) -> bool:
    """Run a run unless it is done; return whether it is done, or would be run."""
    run.digest()  # a config that cannot be read fails here
    state = run.state
    if state is State.DONE:
        report(f'{head}: done before')
        return True
    if state.is_of_another_run:
        report(f'{head}: {state.value}; move the folder away to run it anew')
        return False
    command = run.command(tools)
    if not dry_run:
        # the training itself claims the folder; this only checks that no other process has it
        claim_folder(run.folder, report).release()
    report(f'{head}: {"starts" if state is State.NOT_RUN else "goes on"}')
    report(f'    {shlex.join(command)}')
    return dry_run or _attempt(run, command, report)


def _attempt(run: Run, command: Sequence[str], report: Callable[[str], object]) -> bool:
    """Run a run's command, which writes its record, and return whether the run is done."""
    program = sys.executable if command[0] == 'python' else command[0]
    try:
        code = run_child([program, *command[1:]], os.environ)
    except Stopped as stop:
        report(
            f'    stopped by {signal.Signals(stop.signum).name} after {_seconds(run)}; the same '
            'command goes on from there'
        )
        raise
    state = run.state
    if code:
        ending = f'FAILED with exit status {code}'
    else:  # a config that changed meanwhile may differ from the trained one
        ending = 'done' if state is State.DONE else f'FAILED: {state.value}'
    report(f'    {ending} after {_seconds(run)}')
    return not code and state is State.DONE


def _seconds(run: Run) -> str:
    """Return the time of all attempts of a run, as text."""
    return f'{run.record.get("seconds", 0.0):.0f} s'
