"""Learned sample mixing for MMPretrain.

Importing it registers everything where the host stack is installed:
``custom_imports=dict(imports=['mmtmix'], allow_failed_imports=False)`` is all that a config needs.
Without the host stack it registers nothing, and ``mmtmix.functional`` needs torch alone.
"""

from __future__ import annotations

import contextlib
import importlib
import sys
import warnings
from typing import Any

from .host import check_installed, missing_packages
from .program import is_command
from .version import __version__

__all__ = [
    '__version__',
    'datasets',
    'engine',
    'evaluation',
    'functional',
    'models',
    'register',
]

_PACKAGES = ('datasets', 'engine', 'evaluation', 'functional', 'models')
# needs_host is first: it checks the host stack, once
_REGISTERED = ('needs_host', 'registry', 'datasets', 'engine', 'evaluation', 'models')


def register() -> None:
    """Register everything of this library into MMPretrain.

    ``import mmtmix`` calls it, except in the command ``mmtmix``, which parses its arguments first.
    What the host stack prints while it is imported goes to stderr.

    Raises:
        ImportError: If the host stack is missing, too old, or installed twice.
    """
    # the fork's MMPretrain prints "Could not import OneDL"; output that is piped must not hold it
    with contextlib.redirect_stdout(sys.stderr):
        for package in _REGISTERED:
            importlib.import_module(f'{__name__}.{package}')


def __getattr__(name: str) -> Any:
    if name in _PACKAGES:
        return importlib.import_module(f'{__name__}.{name}')
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')


def __dir__() -> list[str]:
    return sorted(__all__)


def _register_if_possible() -> None:
    """Register everything, if the host stack is installed and this is not the command."""
    if is_command():
        return
    missing = missing_packages()
    if not missing:
        register()
        return
    check_installed()
    if len(missing) < 3:  # a part of the stack: its user may expect that something registers
        warnings.warn(
            f'mmtmix registers nothing, since {" and ".join(missing)} cannot be found; '
            'mmtmix.functional works',
            stacklevel=3,
        )


_register_if_possible()
