"""Find the class that a config names, and check its arguments."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Mapping
from typing import Any

from mmengine.registry import Registry

HOSTS = ('mmengine.', 'mmpretrain.', 'mmtmix.')
"""Beginnings of the names of the hosts' modules and ours."""


def find_class(registry: Registry, settings: Mapping[str, Any]) -> Any:
    """Return the class of a config's ``type``.

    Args:
        registry: Registry of the names, used in the present default scope.
        settings: Config with ``type`` and perhaps ``_scope_``.

    Raises:
        KeyError: If there is no type, or the registry has no such name.
    """
    kind = settings.get('type')
    if kind is None:
        raise KeyError(f'a {registry.name} needs type=..., a name in its registry')
    if not isinstance(kind, str):
        return kind
    with registry.switch_scope_and_registry(settings.get('_scope_')) as found:
        cls = found.get(kind)
        if cls is None:
            close = difflib.get_close_matches(kind, list(found.module_dict), 1)
            hint = f'; did you mean {close[0]!r}?' if close else ''
            raise KeyError(f'{kind} is not in the {found.scope}::{found.name} registry{hint}')
    return cls


def check_signature(cls: Any, settings: Mapping[str, Any], **given: Any) -> None:
    """Refuse arguments that a class does not take, without building it.

    Args:
        cls: Class or function.
        settings: Config of the class; ``type`` and ``_scope_`` are no arguments.
        **given: Further arguments, which a run adds.

    Raises:
        TypeError: If an argument is missing or unknown.
    """
    arguments = {key: value for key, value in settings.items() if key not in ('type', '_scope_')}
    try:
        signature = inspect.signature(cls)
    except ValueError:  # some classes written in C have none
        return
    try:
        signature.bind(**{**given, **arguments})
    except TypeError as error:
        raise TypeError(f'{getattr(cls, "__name__", cls)} {error}') from None
