"""Time until a command starts, measured in processes of their own."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import mmtmix
from mmtmix.apps.benchmark.bench import Bench
from mmtmix.apps.benchmark.report import Row

from .calls import Calls

IMPORT, HELP = 'import mmtmix, after MMPretrain', 'mmtmix train --help'
_HOST = ('apis', 'datasets', 'engine', 'evaluation', 'models', 'visualization')
_IMPORT = f"""
import importlib, time
for name in {_HOST!r}:
    importlib.import_module(f'mmpretrain.{{name}}')
start = time.process_time()
import mmtmix
print(time.process_time() - start)
"""
_IMPORTS, _HELPS = 3, 5  # each import takes 7 s


def startup(bench: Bench) -> Calls:
    """Return the time to import this library and to print the help of a command.

    Args:
        bench: Bench, of which nothing is used.
    """
    run_python('-c', _IMPORT)  # stores bytecode, which an installation has
    return Calls(
        once={
            IMPORT: lambda: _median(_import_seconds, _IMPORTS),
            HELP: lambda: _median(_help_seconds, _HELPS),
        }
    )


def _median(measure: Callable[[], float], repeats: int) -> Row:
    seconds = [measure() for _ in range(repeats)]
    return Row(statistics.median(seconds), max(seconds) - min(seconds))


def _import_seconds() -> float:
    """Return the CPU seconds of the import in a new process."""
    return float(run_python('-c', _IMPORT).split()[-1])


def _help_seconds() -> float:
    """Return the CPU seconds of a process that prints the help."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run_python('-m', 'mmtmix', 'train', '--help')
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def run_python(*words: str) -> str:
    """Run Python in a new process, and return what it prints.

    Args:
        words: Arguments of the interpreter.

    Raises:
        CalledProcessError: If it fails.
    """
    places = [str(Path(mmtmix.__file__).parents[1]), os.environ.get('PYTHONPATH', '')]
    path = os.pathsep.join(filter(None, places))
    command = [sys.executable, '-W', 'ignore', *words]
    environment = os.environ | dict(PYTHONPATH=path)
    environment.pop('PYTHONDONTWRITEBYTECODE', None)
    return subprocess.run(
        command, env=environment, check=True, stdout=subprocess.PIPE, text=True
    ).stdout
