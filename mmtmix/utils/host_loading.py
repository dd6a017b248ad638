"""Make MMEngine load checkpoints as this library does."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

from mmengine.dist import barrier, is_main_process
from mmengine.runner import CheckpointLoader

from .checkpoint import fetch_checkpoint, load_checkpoint
from .safe_loading import force_safe_loading
from .shipped import SCHEME
from .weights import check_finite_weights, without_masks


def load_safely(trusted: Iterable[str | os.PathLike] = ()) -> None:
    """Make all code in this process load checkpoints as data; our commands call it.

    MMEngine then reads files and addresses (``load_from``, ``resume``, ``init_cfg``) by
    :func:`~mmtmix.utils.load_checkpoint`. Importing mmtmix changes none of this.

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


def load_from_package(filename: str, map_location: Any = None) -> dict:
    """Load weights that come with this library for MMEngine.

    Args:
        filename: Name such as ``mmtmix://wrn16_fashionmnist32``.
        map_location: Device, not used; see :func:`load_from_file`.

    Raises:
        ValueError: If there are no such weights.
    """
    return load_from_file(filename)


def register_scheme() -> None:
    """Make MMEngine and MMPretrain load ``mmtmix://NAME``; importing mmtmix calls it."""
    CheckpointLoader.register_scheme(SCHEME, load_from_package, force=True)
