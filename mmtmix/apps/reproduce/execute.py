"""Running of the runs that are missing."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import mmcv
import mmengine
import mmpretrain
import torch
import torchvision

import mmtmix
from mmtmix.checks import check_flag, check_integer
from mmtmix.utils import Stopped, atomic_path, load_checkpoint
from mmtmix.utils.claims import claim_folder

from .child import run_child
from .runs import LAST, RECORD, Run, State


def execute(
    runs: Sequence[Run],
    tools: str | os.PathLike,
    gpus: int = 1,
    dry_run: bool = False,
    report: Callable[[str], object] = print,
) -> list[Run]:
    """Run each run that is not done, in order; a run that fails does not stop the others.

    Args:
        runs: Runs in order; a run that is listed twice runs once.
        tools: Folder of the scripts of ``tools/``.
        gpus: Number of processes per run, >= 1.
        dry_run: Whether the commands are only printed.
        report: Function that takes a line about the progress.

    Returns:
        The runs that failed, and those that another process is running.

    Raises:
        Stopped: If this process receives a signal to end, once the present command has ended.
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range.
    """
    check_integer('gpus', gpus, 1)
    check_flag('dry_run', dry_run)
    failed = []
    todo = list(dict.fromkeys(runs))
    for number, run in enumerate(todo, 1):
        head = f'[{number}/{len(todo)}] {run.folder}'
        try:
            is_done = _execute(run, head, tools, gpus, dry_run, report)
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
    gpus: int,
    dry_run: bool,
    report: Callable[[str], object],
) -> bool:
    """Run a run unless it is done; return whether it is done, or would be run."""
    run.digest()  # a config that cannot be read fails here
    state = run.state
    if state is State.DONE:
        report(f'{head}: done before')
        return True
    if state is State.OUTDATED:
        report(f'{head}: {state.value}; move the folder away to run it anew')
        return False
    command = run.command(tools, gpus)
    if not dry_run:
        # the training itself claims the folder; this only checks that no other process has it
        claim_folder(run.folder, report).release()
    report(f'{head}: {"goes on" if state is State.STARTED else "starts"}')
    report(f'    {shlex.join(command)}')
    return dry_run or _attempt(run, command, gpus, report)


def _attempt(run: Run, command: Sequence[str], gpus: int, report: Callable[[str], object]) -> bool:
    """Run a run's command, write its record, and return whether the run is done."""
    record = {**_setting(run, gpus), 'seconds': run.record.get('seconds', 0.0)}
    before, start = record['seconds'], time.time()

    def note() -> None:
        record['seconds'] = round(before + time.time() - start, 1)
        _note(run, record)

    note()
    program = sys.executable if command[0] == 'python' else command[0]
    try:
        # the record is renewed as it runs, so a kill of this process loses half a minute
        code = run_child([program, *command[1:]], os.environ, note)
    except Stopped as stop:
        note()
        report(
            f'    stopped by {signal.Signals(stop.signum).name} after '
            f'{record["seconds"]:.0f} s; the same command goes on from there'
        )
        raise
    note()
    state = run.state
    if not code and state is State.DONE:
        record['precision'] = _precision(run)
        _note(run, record)
    if code:
        ending = f'FAILED with exit status {code}'
    else:  # a config that changed meanwhile may differ from the trained one
        ending = 'done' if state is State.DONE else f'FAILED: {state.value}'
    report(f'    {ending} after {record["seconds"]:.0f} s')
    return not code and state is State.DONE


def _note(run: Run, record: Mapping[str, Any]) -> None:
    with atomic_path(run.folder / RECORD) as temporary:
        temporary.write_text(json.dumps(record, indent=1) + '\n', encoding='utf-8')


def _precision(run: Run) -> str | None:
    """Return the precision that a finished run was trained in; None if its checkpoint has none."""
    return (load_checkpoint(run.folder / LAST).get('meta') or {}).get('precision')


def _setting(run: Run, gpus: int) -> dict[str, Any]:
    """Return the settings, versions and device of a run, for its record."""
    has_gpu = torch.cuda.is_available()
    device = torch.cuda.get_device_name() if has_gpu else 'cpu'
    packages = (torch, torchvision, mmengine, mmcv, mmpretrain)
    versions = {package.__name__: package.__version__ for package in packages}
    if has_gpu:
        versions |= dict(driver=_version_of_driver())
    return dict(
        config=run.config,
        options=run.options,
        variants=dict(run.variants),
        seed=run.seed,
        digest=run.digest(),
        versions=versions | dict(mmtmix=_version_of_code()),
        device=f'{gpus} x {device}' if gpus > 1 else device,
        started=datetime.now(timezone.utc).isoformat(timespec='seconds'),
    )


def _version_of_driver() -> str:
    """Return the version of NVIDIA's driver, ``'unknown'`` where nvidia-smi fails."""
    command = ['nvidia-smi', '--query-gpu=driver_version', '--format=csv,noheader']
    try:
        found = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    except (OSError, subprocess.SubprocessError):
        return 'unknown'
    return found.stdout.partition('\n')[0].strip() or 'unknown'


def _version_of_code() -> str:
    """Return this library's version; in a checkout with its commit, and `.dirty` if changed."""
    root = Path(mmtmix.__file__).parents[1]
    if not (root / '.git').exists():  # another project's checkout may contain it
        return mmtmix.__version__
    command = ['git', '-C', str(root), 'describe', '--always', '--exclude=*', '--dirty=.dirty']
    try:
        found = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except (FileNotFoundError, subprocess.CalledProcessError):  # no git, or no commit
        return mmtmix.__version__
    return f'{mmtmix.__version__}+g{found.strip()}'
