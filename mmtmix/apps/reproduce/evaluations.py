"""Evaluations of finished runs, whose figures a row names as ``SUITE/FIGURE``."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from mmtmix.apps.evaluate.names import arguments, suite_of
from mmtmix.apps.evaluate.results import read_results, stored_settings
from mmtmix.apps.evaluate.suites import SUITES
from mmtmix.program import program
from mmtmix.utils import file_digest
from mmtmix.utils.variants import variant_words

from .child import run_child
from .experiments import Cell, plain_metric
from .runs import LAST, Run, State

FILE = 'last.evaluation.json'
"""File of an evaluation in the work dir of its run, where ``mmtmix evaluate`` puts it."""

_SHARED = ('num_images', 'seed', 'dtype')


def suites_of(cell: Cell) -> list[str]:
    """Return the suites whose figures a cell counts, in the order in which they run.

    Args:
        cell: Cell of an experiments file.
    """
    wanted = {suite_of(metric) for metric in cell.metrics}
    return [name for name in SUITES if name in wanted]


def evaluation_command(run: Run, cell: Cell, tools: str | os.PathLike) -> list[str]:
    """Return the command that evaluates a finished run, or goes on after a stop.

    Args:
        run: Finished run.
        cell: Its cell.
        tools: Folder of the scripts of ``tools/``.
    """
    words = ['python', str(Path(tools, 'evaluate.py')), run.config, str(run.folder / LAST)]
    words += ['--suite', *suites_of(cell), '--out', str(run.folder / FILE)]
    for name, value in cell.evaluate.items():
        values = value if isinstance(value, list) else [value]
        words += [f'--{name.replace("_", "-")}', *map(str, values)]
    words += variant_words(dict(run.variants))
    return [*words, *(['--cfg-options', *run.options] if run.options else [])]


def read_evaluation(run: Run, cell: Cell) -> dict[str, float]:
    """Return the figures of suites that a cell counts, from the evaluation of a finished run.

    Args:
        run: Finished run.
        cell: Its cell.

    Raises:
        ValueError: If the evaluation is missing, is of other weights or other settings, or lacks a
            figure; the message has the command that makes it.
    """
    path = run.folder / FILE
    wanted = arguments(**cell.evaluate)
    words = evaluation_command(run, cell, '')[2:]
    command = f'{program("evaluate")} {shlex.join(words)}'
    found = read_results(path)
    if not found:
        raise ValueError(f'{path} does not exist; `reproduce run` makes it, or: {command}')
    fields: dict[str, Any] = {name: getattr(wanted, name) for name in _SHARED}
    fields['checkpoint_sha256'] = file_digest(run.folder / LAST, 64)
    differing = [name for name, value in fields.items() if found.get(name) != value]
    if differing:
        raise ValueError(
            f'{path} is of another {", ".join(differing)}; move it aside, then: {command}'
        )
    figures: dict[str, float] = {}
    for suite in suites_of(cell):
        measured = found['suites'].get(suite)
        if measured is None or measured['settings'] != stored_settings(
            SUITES[suite].settings(wanted)
        ):
            state = 'lacks' if measured is None else 'has other settings of'
            raise ValueError(f'{path} {state} {suite}; to measure it: {command}')
        figures |= {f'{suite}/{name}': value for name, value in measured['figures'].items()}
    lacking = [m for m in cell.metrics if suite_of(m) and plain_metric(m) not in figures]
    if lacking:
        raise ValueError(f'{path} lacks {", ".join(lacking)}; it has {", ".join(figures)}')
    return {m: figures[plain_metric(m)] for m in cell.metrics if suite_of(m)}


def evaluate_runs(
    wanted: Iterable[tuple[Run, Cell]],
    tools: str | os.PathLike,
    report: Callable[[str], object],
    is_dry: bool = False,
) -> bool:
    """Evaluate finished runs one after the other, each by a command of its own.

    Args:
        wanted: Runs and their cells, which count figures of suites.
        tools: Folder of the scripts of ``tools/``.
        report: Function that takes a line about the progress.
        is_dry: Whether the commands are only shown.

    Returns:
        Whether all are evaluated, or shown.

    Raises:
        Stopped: If this process receives a signal to end, once the command has ended.
    """
    todo = [(run, cell) for run, cell in wanted if suites_of(cell) and not _is_there(run, cell)]
    done = True
    for number, (run, cell) in enumerate(todo, 1):
        head = f'[evaluation {number}/{len(todo)}] {run.folder}'
        command = evaluation_command(run, cell, tools)
        if is_dry:
            report(f'{head}: after the training\n    {shlex.join(command)}')
            continue
        if run.state is not State.DONE:
            report(f'{head}: left out, the run is {run.state.value}')
            done = False
            continue
        report(f'{head}: {", ".join(suites_of(cell))}\n    {shlex.join(command)}')
        code = run_child([sys.executable, *command[1:]], os.environ)
        if code:
            report(f'{head}: ended with status {code}')
            done = False
    return done


def _is_there(run: Run, cell: Cell) -> bool:
    try:
        read_evaluation(run, cell)
    except (OSError, ValueError):
        return False
    return True
