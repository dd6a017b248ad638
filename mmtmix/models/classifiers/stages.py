"""Layers of a backbone by name: which there are, and how to look at or change what they give."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from torch import nn

# where backbones keep a sequence of stages
_SEQUENCES = ('layers', 'stages')


def find_stages(backbone: nn.Module) -> list[str]:
    """Names of a backbone's stages, in order.

    These are ``layer1``, ``layer2``, ... of a ResNet and its like, or what is in a sequence
    called ``layers`` or ``stages``: blocks, in a network without stages.

    Args:
        backbone: Any.

    Returns:
        Names for ``backbone.get_submodule``; empty where none are known.
    """
    children = dict(backbone.named_children())
    numbered = [f'layer{number}' for number in range(1, len(children) + 1)]
    found = [name for name in numbered if name in children]
    if len(found) > 1:
        return found
    for name in _SEQUENCES:
        if isinstance(children.get(name), (nn.Sequential, nn.ModuleList)):
            return [f'{name}.{number}' for number in range(len(children[name]))]
    return []


def check_layer(model: nn.Module, name: str, argument: str) -> None:
    """See that a model has a layer.

    Args:
        model: Where to look.
        name: The layer's.
        argument: Which argument named it, for the error.

    Raises:
        ValueError: If there is none of that name.
    """
    try:
        found = model.get_submodule(name) if name else None
    except AttributeError:
        found = None
    if found is None:
        stages = [f'backbone.{stage}' for stage in find_stages(model.backbone)]
        hint = f'its stages are {stages}' if stages else 'see model.named_modules()'
        raise ValueError(
            f'{argument} names {name!r}, and this {type(model.backbone).__name__} has no such '
            f'module; {hint}'
        )


@contextmanager
def at_output(layer: nn.Module, change: Callable[[Any], Any]) -> Iterator[None]:
    """Call a function with what a layer gives; what it returns, unless None, goes on instead.

    Args:
        layer: Must give something exactly once in the block.
        change: Gets the layer's output.

    Raises:
        RuntimeError: If the layer gave nothing, or more than once.
    """
    count = 0

    def hook(module: nn.Module, args: tuple, output: Any) -> Any:
        nonlocal count
        count += 1
        return change(output)

    handle = layer.register_forward_hook(hook)
    try:
        yield
    finally:
        handle.remove()
    if count != 1:
        raise RuntimeError(
            f'a {type(layer).__name__} ran {count} times in a forward pass; choose a layer that '
            'runs once'
        )
