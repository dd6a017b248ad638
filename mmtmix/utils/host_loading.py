"""Make MMEngine load checkpoints as this library does."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

from mmengine.dist import barrier, is_main_process
from mmengine.runner import CheckpointLoader

from .checkpoint import fetch_checkpoint, load_checkpoint
from .safe_loading import force_safe_loading
from .weights import check_finite_weights, without_masks


def load_safely(trusted: Iterable[str | os.PathLike] = ()) -> None:
    """Make all code in this process load checkpoints as data; our commands call it.

    MMEngine then reads files and addresses (``load_from``, ``resume``, ``init_cfg``) by
    :func:`~mmtmix.utils.load_checkpoint`. Importing mmtmix changes nothing global.

    Args:
        trusted: Paths and addresses of files whose code may run, as the user names them.
    """
    force_safe_loading(trusted)
    CheckpointLoader.register_scheme('', load_from_file, force=True)
    CheckpointLoader.register_scheme(('http://', 'https://'), load_from_address, force=True)


def load_from_file(filename: str, map_location: Any = None) -> dict:
    """Load a file for MMEngine.

    Args:
        filename: Path of the file.
        map_location: Device, not used: the content is on the CPU, and moves with the model.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it needs unsafe loading, is damaged, or a weight is not finite.
    """
    content = load_checkpoint(filename)
    state = content.get('state_dict', content)
    if isinstance(state, Mapping):
        check_finite_weights(without_masks(state), f'checkpoint {filename!r}')
    return content


def load_from_address(filename: str, map_location: Any = None) -> dict:
    """Load the file at an http(s) address for MMEngine; the main process downloads it.

    Args:
        filename: Address of the file.
        map_location: Device, not used; see :func:`load_from_file`.

    Raises:
        ConnectionError: If it cannot be downloaded.
        ValueError: As of :func:`load_from_file`, or it has another hash than its name.
    """
    if is_main_process():
        fetch_checkpoint(filename)
    barrier()
    return load_from_file(filename)
