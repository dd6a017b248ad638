"""Write the checkpoints of a Runner whole, or not at all."""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable
from typing import Any

from mmengine.dist import is_main_process
from mmengine.runner import FlexibleRunner, Runner

from mmtmix.utils import explaining_faults, publish_file

_LOCAL: tuple[Any, ...] = (None, {}, {'backend': 'local'})


def write_checkpoints_whole(runner: Runner | FlexibleRunner) -> None:
    """Make a Runner write each checkpoint beside its name, and rename it when it is complete.

    MMEngine writes under the final name, so a full disk or a kill leaves half a checkpoint there.
    All callers of ``runner.save_checkpoint``, hooks included, then write whole files. Files in a
    storage service are left to its own backend.

    Args:
        runner: The Runner, or one whose strategy writes files and no folders. Its
            ``save_checkpoint`` is replaced, once.
    """
    save = runner.save_checkpoint
    if getattr(save, 'is_whole', False):
        return

    @functools.wraps(save)
    def save_checkpoint(out_dir: str, filename: str, *args: Any, **kwargs: Any) -> None:
        given = inspect.signature(save).bind(out_dir, filename, *args, **kwargs).arguments
        is_local = (
            '://' not in str(out_dir)
            and given.get('file_client_args') is None
            and given.get('backend_args') in _LOCAL
        )
        if is_local and is_main_process():
            write_whole(lambda name: save(out_dir, name, *args, **kwargs), out_dir, filename)
        else:
            save(out_dir, filename, *args, **kwargs)

    save_checkpoint.is_whole = True  # type: ignore[attr-defined]
    runner.save_checkpoint = save_checkpoint


def write_whole(write: Callable[[str], object], folder: str, filename: str) -> None:
    """Write a file under another name, and rename it when it is complete.

    Args:
        write: Function that writes the file into ``folder``, under its argument as the name.
        folder: The folder.
        filename: Final name. Remains of a killed process are overwritten.

    Raises:
        OSError: If the disk is full, the folder can't be written to and the like; it names the
            file and what to do. A file that had the name before is untouched.
    """
    path = os.path.join(folder, filename)
    # always the same name, so that repeated kills leave one such file at most
    partial = os.path.join(os.path.dirname(filename), f'.{os.path.basename(filename)}.partial')
    temporary = os.path.join(folder, partial)
    with explaining_faults(path):
        try:
            write(partial)
            publish_file(temporary, path)
        finally:
            if os.path.isfile(temporary):
                os.unlink(temporary)
