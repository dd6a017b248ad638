"""The state that a stopped command has saved, and the command line that continues it."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence

from mmtmix.datasets.mixed_shards import (
    SETTINGS_FILE,
    is_complete_set,
    read_dataset_file,
    shard_files,
)
from mmtmix.datasets.mixed_shards.files import progress_of
from mmtmix.program import program

from .newest_checkpoint import newest_checkpoint


def describe_checkpoint_of(work_dir: str | os.PathLike) -> str:
    """Return a text about the checkpoint that a training can be resumed from.

    Args:
        work_dir: Work dir of the run.
    """
    path = newest_checkpoint(work_dir)
    if path is None:
        return f'no checkpoint is in {os.fspath(work_dir)} yet'
    return f'saved is {os.path.relpath(path)}'


def describe_shards_of(folder: str | os.PathLike) -> str:
    """Return a text about how much of a set of mixed images is done.

    Args:
        folder: Folder of the set.
    """
    name = os.fspath(folder)
    if is_complete_set(folder):
        described = read_dataset_file(folder)
        return (
            f'the set in {name} is complete: {len(described["shards"])} shards, '
            f'{described["num"]} images'
        )
    if not os.path.isfile(os.path.join(folder, SETTINGS_FILE)) and not shard_files(folder):
        return f'no shard is in {name} yet'
    return f'the set in {name} is not complete: {progress_of(folder)}'


def command_again(command: str, argv: Sequence[str], resume: bool = False) -> str:
    """Return the command line that continues a stopped command.

    Args:
        command: Name of the command, such as ``'train'``.
        argv: Arguments that it had.
        resume: Whether it needs ``--resume`` to continue. A checkpoint that was given with
            ``--resume`` is left out, because the run has a newer one.
    """
    words = list(argv)
    if resume:
        kept: list[str] = []
        before = ''
        for word in words:
            is_value = before == '--resume' and not word.startswith('-')
            if word != '--resume' and not word.startswith('--resume=') and not is_value:
                kept.append(word)
            before = word
        words = [*kept, '--resume']
    return f'{program(command)} {shlex.join(words)}'
