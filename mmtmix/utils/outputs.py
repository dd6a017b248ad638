"""Checks of where a command writes and computes, before it begins."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from mmtmix.checks import check_path

from .files import explaining_faults


def check_output_file(name: str, path: Any, suffixes: Sequence[str] = ()) -> None:
    """Refuse a file that cannot be written. A missing folder is no fault: it will be made.

    Args:
        name: Name of the argument.
        path: Value of the argument.
        suffixes: Endings that are allowed, in lower case; all if empty.

    Raises:
        IsADirectoryError: If it is a folder.
        NotADirectoryError: If a part of its folder is a file.
        PermissionError: If it, or the folder, is read-only.
        TypeError: If it is no path.
        ValueError: If it has another suffix.
    """
    check_path(name, path)
    path = Path(path)
    if suffixes and path.suffix.lower() not in suffixes:
        raise ValueError(f'{name} must end in {" or ".join(suffixes)}, got {str(path)!r}')
    if path.is_dir():
        raise IsADirectoryError(f'{name} must be a file, and {str(path)!r} is a folder')
    if path.exists() and not os.access(path, os.W_OK):
        raise PermissionError(f'{name}: {str(path)!r} is read-only; give another name')
    check_output_folder(name, path.parent)


def check_output_folder(name: str, path: Any) -> None:
    """Refuse a folder that can be neither written to nor made, without making it.

    Args:
        name: Name of the argument.
        path: Value of the argument.

    Raises:
        NotADirectoryError: If it, or a part of it, is a file.
        PermissionError: If it, or what it is to be made in, is read-only.
        TypeError: If it is no path.
        ValueError: If it is empty.
    """
    check_path(name, path)
    path = Path(path)
    there = next(each for each in (path, *path.absolute().parents) if each.exists())
    if not there.is_dir():
        raise NotADirectoryError(
            f'{name}: {str(path)!r} cannot be made, since {str(there)!r} is a file; give a folder'
        )
    if not os.access(there, os.W_OK | os.X_OK):
        raise PermissionError(
            f'{name}: nothing can be written to {str(there)!r}, which is read-only; give another '
            'folder or change its rights'
        )


def make_writable_folder(folder: str | os.PathLike) -> None:
    """Make a folder and write a small file there, so that long work can't fail at its end.

    :func:`check_output_folder` refuses the same faults without making anything.

    Args:
        folder: The folder; nothing is left in it.

    Raises:
        OSError: If it can't be made or written to; it names the folder and what to do.
    """
    with explaining_faults(folder):
        Path(folder).mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=str(folder), prefix='.writable.') as file:
            file.write(b'x')
            file.flush()


def check_device(name: str, device: Any) -> None:
    """Refuse a device that this machine does not have, or that does not compute.

    Args:
        name: Name of the argument.
        device: Value of the argument, such as ``'cuda:1'``.

    Raises:
        ValueError: If there is no such device.
    """
    try:
        kind = torch.device(device)
        torch.empty(0, device=kind)
    except (RuntimeError, AssertionError, TypeError, NotImplementedError) as error:
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise ValueError(
            f'{name} must be a device of this machine such as cpu or cuda:0, got {device!r}: '
            f'{reason[0]}'
        ) from error
    if kind.type == 'meta':
        raise ValueError(f'{name} must be a device that computes, got {device!r}')
