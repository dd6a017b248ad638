"""Parts of an augment by name, config or instance: sources of saliency, and label rules."""

from __future__ import annotations

from collections.abc import Mapping
from inspect import Parameter, signature
from typing import Any

from mmengine.registry import Registry

from mmtmix.checks import check_arguments, check_choice


def build_named(
    title: str, registry: Registry, value: str | Mapping | object, interface: type
) -> Any:
    """Build a part.

    Args:
        title: Name of the argument, for errors.
        registry: Registry of the parts.
        value: Name in the registry, or config ``dict(type=..., ...)`` whose type is a name or a
            class, or a part, which is returned as it is.
        interface: Class of all parts.

    Raises:
        TypeError: If it is none of these, or an argument that the part needs is missing.
        ValueError: If there is no part of this name.
    """
    if isinstance(value, interface):
        return value
    config = dict(type=value) if isinstance(value, str) else value
    if not isinstance(config, Mapping) or 'type' not in config:
        raise TypeError(
            f'{title} must be a name, dict(type=..., ...) or a {interface.__name__}, '
            f'got {value!r:.200}'
        )
    settings = dict(config)
    kind = settings.pop('type')
    if isinstance(kind, str):
        check_choice(title, kind, sorted(registry.module_dict))
        kind = registry.module_dict[kind]
    check_arguments(title, settings, kind)
    missing = [name for name in _required(kind) if name not in settings]
    if missing:
        wanted = ', '.join(f'{name}=...' for name in missing)
        raise TypeError(
            f'{title}={kind.__name__!r} has no {" and no ".join(missing)}; add {wanted} to '
            f'dict(type={kind.__name__!r}, ...)'
        )
    # not by `build`, which warns that the default scope has no such registry
    return kind(**settings)


def _required(kind: type) -> list[str]:
    """Return the names of the arguments without a default."""
    return [
        one.name
        for one in signature(kind).parameters.values()
        if one.default is Parameter.empty
        and one.kind not in (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)
    ]
