"""Running of the stages of a launch, in order, each in a work dir that is claimed."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from datetime import timedelta
from functools import partial

from mmengine.dist import is_main_process

from mmtmix.utils import file_digest, make_writable_folder

from .claims import claimed, on_main_process, wait_for_ranks
from .stage_records import StageRecords
from .stages import Stage, check_stages


def run_stages(
    stages: Sequence[Stage],
    run: Callable[[Stage], None],
    records: StageRecords | None = None,
) -> None:
    """Run the stages that are missing, in order, and print a line at the start and end of each.

    Each work dir is claimed while a stage runs there. If another launch is running a required
    stage, this one waits for it. If the other launch dies, this one continues the stage.

    Args:
        stages: Stages from :func:`plan_stages`.
        run: Function that runs one stage.
        records: Records of the stages, which are checked and written; None for no records.

    Raises:
        ClaimedError: If another launch works in the work dir of the last stage.
        OSError: If a work dir can't be written to.
        RuntimeError: If a stage ends without the file that it should produce.
        ValueError: If a required file was made by another run than the one that is required.
    """
    # first of all, since the other stages may take hours
    with claimed(stages[-1].cfg.work_dir, report=_print):
        missing = check_stages(stages)
        if records is not None:
            records.check()
        on_main_process(partial(_make_work_dirs, missing))
        for number, stage in enumerate(stages, 1):
            head = f'[stage {number}/{len(stages)}] {stage.name}'
            if stage not in missing:
                note = records.note(stage) if records is not None else ''
                _print(f'{head}: {describe(stage.produces)}{note}, skipped')
            elif stage.produces is None:
                _run_stage(stage, run, head, records)
            else:
                _run_required(stage, run, head, records)


def _make_work_dirs(stages: Sequence[Stage]) -> None:
    for stage in stages:
        make_writable_folder(stage.cfg.work_dir)


def _run_required(
    stage: Stage, run: Callable[[Stage], None], head: str, records: StageRecords | None
) -> None:
    """Run a stage that other launches may run at the same time."""

    def show(line: str) -> None:
        _print(f'{head}: {line}')

    with claimed(stage.cfg.work_dir, lambda: stage.is_finished, show) as is_left:
        if is_left:
            _run_stage(stage, run, head, records)
        else:
            show(f'{describe(stage.produces)}, made by another launch')
    if records is not None:
        records.check()  # another launch may have been of another config


def _run_stage(
    stage: Stage, run: Callable[[Stage], None], head: str, records: StageRecords | None
) -> None:
    """Run a stage in its work dir, which is claimed."""
    _print(f'{head}: started, in {stage.cfg.work_dir}')
    start = time.monotonic()
    with nullcontext() if records is None else records.recording(stage):
        run(stage)
        wait_for_ranks()
        # on the machines of other ranks the file may appear later
        if stage.produces is not None and not on_main_process(lambda: stage.has_file):
            raise RuntimeError(
                f'{stage.config} ended without {stage.produces}, which another config requires; '
                'is that the name of a file that it writes into its work dir?'
            )
    _print(f'{head}: done in {_duration(time.monotonic() - start)}')


def describe(path: str | None) -> str:
    """Return name, age and digest of the file of a finished stage, as text.

    Args:
        path: Path of the file; None if the stage produces none.
    """
    if path is None or not os.path.isfile(path):
        return 'not needed'
    age = _duration(time.time() - os.path.getmtime(path))
    return f'found {path} ({age} old, sha256 {file_digest(path)})'


def _duration(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))


def _print(line: str) -> None:
    if is_main_process():
        print(line, flush=True)
