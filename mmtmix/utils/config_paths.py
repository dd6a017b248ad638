"""Find configs by paths, by names ``mmtmix::METHOD/NAME.py``, and as bases of other configs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from mmengine.config import Config

SCOPE = 'mmtmix::'
_PACKAGE = Path(__file__).resolve().parent.parent
# a wheel has configs in mmtmix/.mim, a checkout beside the package as well
_OWN = (_PACKAGE.parent, _PACKAGE / '.mim')


def resolve_config(path: str | os.PathLike) -> Path:
    """Return the path of a config, relative to the working directory or in this library.

    Args:
        path: Path such as ``configs/simple/wrn28_cifar100.py``, or a name such as
            ``mmtmix::simple/wrn28_cifar100.py``, which is always a config of this library.

    Returns:
        The path of an existing file.

    Raises:
        FileNotFoundError: If there is no such file in any of those places.
    """
    text = os.fspath(path)
    relative = plain_config(text)
    places = _OWN if text.startswith(SCOPE) else (Path.cwd(), *_OWN)
    for place in places:
        if (place / relative).is_file():
            return place / relative
    raise FileNotFoundError(
        f'config {text!r} was not found in any of ' + ', '.join(str(p) for p in places)
    )


def plain_config(path: str | os.PathLike) -> str:
    """Return ``configs/METHOD/NAME.py`` for ``mmtmix::METHOD/NAME.py``, other paths as they are.

    Args:
        path: Path of a config, which is not read.
    """
    text = os.fspath(path)
    return f'configs/{text.removeprefix(SCOPE)}' if text.startswith(SCOPE) else text


def is_shipped_config(path: str | os.PathLike) -> bool:
    """Return whether a file is a config of this library.

    Args:
        path: Path of the file; links are followed.
    """
    file = Path(path).resolve()
    return any(file.is_relative_to((place / 'configs').resolve()) for place in _OWN)


@contextmanager
def finding_own_bases() -> Iterator[None]:
    """Make ``_base_ = 'mmtmix::...'`` work while a config is read.

    MMEngine finds the package by its metadata. Upstream needs ``pkg_resources`` for that, which
    newer setuptools lack, and it fails for editable installs. It may also find another copy. Its
    method is replaced only if it does not find the file of this copy, and restored at the end.
    """
    if _is_found_by_host():
        yield
        return
    original = Config._get_cfg_path

    def get_cfg_path(cfg_path: str, filename: str) -> tuple[str, str | None]:
        if cfg_path.startswith(SCOPE):
            return str(resolve_config(cfg_path)), None
        return original(cfg_path, filename)

    Config._get_cfg_path = staticmethod(get_cfg_path)
    try:
        yield
    finally:
        Config._get_cfg_path = staticmethod(original)


def drop_own_scope(content: Any) -> None:
    """Remove, in place, the scope that MMEngine adds to the content of a base ``mmtmix::...``.

    Everything is registered into MMPretrain's registries, so the scope adds nothing. It would be
    one more argument of functions such as a ``collate_fn``. The config would also differ from the
    one that is read by its path.

    Args:
        content: Value of a config: a dict, a list or another one.
    """
    if isinstance(content, dict):
        # methods of ConfigDict would import the modules that lazy configs of MMEngine name
        if dict.get(content, '_scope_') == SCOPE.removesuffix('::'):
            dict.pop(content, '_scope_')
        for value in dict.values(content):
            drop_own_scope(value)
    elif isinstance(content, (list, tuple)):
        for value in content:
            drop_own_scope(value)


@cache
def _is_found_by_host() -> bool:
    """Return whether MMEngine itself finds the configs of this copy of the library."""
    name = f'{SCOPE}_base_/default_runtime.py'
    try:
        found, _ = Config._get_cfg_path(name, '')
    except Exception:  # a host that lacks a package or its metadata may raise anything
        return False
    return os.path.samefile(found, resolve_config(name))
