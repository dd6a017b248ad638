"""Weights that come with the package, by names such as ``mmtmix://fashionmnist_k2``."""

from __future__ import annotations

import difflib
import os
from pathlib import Path
from typing import Any

SCHEME = 'mmtmix://'
FOLDER = Path(__file__).resolve().parent.parent / 'weights'


def shipped_names() -> list[str]:
    """Return the names of the weights that come with the package, in order."""
    return sorted(path.stem for path in FOLDER.glob('*.pth'))


def is_shipped(path: Any) -> bool:
    """Return whether a value names weights of the package, whether or not they exist.

    Args:
        path: Any value; ``'mmtmix://NAME'`` names such weights.
    """
    return isinstance(path, str) and path.startswith(SCHEME)


def shipped_file(path: str) -> Path:
    """Return the file of weights that come with the package.

    Args:
        path: Name such as ``mmtmix://fashionmnist_k2``.

    Raises:
        ValueError: If there are no such weights; the error lists those that exist.
    """
    name = path.removeprefix(SCHEME)
    names = shipped_names()
    if name not in names:
        close = difflib.get_close_matches(name, names, 1)
        hint = f'did you mean {SCHEME + close[0]!r}? ' if close else ''
        raise ValueError(
            f'{path!r} does not come with mmtmix; {hint}There are '
            f'{", ".join(SCHEME + each for each in names)}: `mmtmix weights` describes them'
        )
    return FOLDER / f'{name}.pth'


def local_file(path: str | os.PathLike) -> Path:
    """Return the path of a file that a user names.

    Args:
        path: Path, which may begin with ``~``, or a name such as ``mmtmix://fashionmnist_k2``.

    Returns:
        The path, at which a file of the user may be missing.

    Raises:
        ValueError: If the package has no weights of that name.
    """
    return shipped_file(str(path)) if is_shipped(path) else Path(path).expanduser()
