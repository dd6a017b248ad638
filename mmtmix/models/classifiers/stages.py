"""Layers of a backbone by name, and how to read or change their outputs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from torch import nn

# names under which backbones keep a sequence of stages
_SEQUENCES = ('layers', 'stages')


def find_stages(backbone: nn.Module) -> list[str]:
    """Return the names of a backbone's stages, in order.

    These are ``layer1``, ``layer2``, ... of a ResNet and its like, or the parts of a sequence
    named ``layers`` or ``stages``: blocks, in a network without stages.

    Args:
        backbone: Any network.

    Returns:
        Names for ``backbone.get_submodule``; empty if there are none of these.
    """
    children = dict(backbone.named_children())
    numbered = [f'layer{number}' for number in range(1, len(children) + 1)]
    found = [name for name in numbered if name in children]
    if len(found) > 1:
        return found
    for name in _SEQUENCES:
        sequence = children.get(name)
        if isinstance(sequence, (nn.Sequential, nn.ModuleList)):
            return [f'{name}.{number}' for number in range(len(sequence))]
    return []


def check_layer(model: Any, name: str, argument: str) -> None:
    """Check that a model has a layer.

    Args:
        model: A classifier with a ``backbone``.
        name: Name of the layer.
        argument: Name of the argument that names it, for the error.

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
    """Call a function with a layer's output; its result, unless None, replaces the output.

    Args:
        layer: Layer that runs exactly once in the block.
        change: Function that takes the output.

    Raises:
        RuntimeError: If the layer did not run, or more than once.
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
