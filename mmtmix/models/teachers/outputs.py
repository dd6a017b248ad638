"""Outputs of a network's modules in one forward pass, and how the logits depend on them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from .checks import check_logits
from .layouts import Layout
from .network import last_linear

Forward = Callable[[Tensor], Tensor]


@dataclass
class Output:
    """The output of one call of a module.

    Attributes:
        name: Name of the module.
        module: The module.
        call: Number of the call in the pass, from 0.
        value: Value that it returned.
        layout: Axes of the image's positions in the value; None if unknown.
        positions: Number of positions at which the logits depend on the value.
    """

    name: str
    module: nn.Module
    call: int
    value: Any
    layout: Layout | None = None
    positions: int = 0


def record_outputs(
    model: nn.Module, forward: Forward, images: Tensor, name: str | None
) -> tuple[list[Output], Tensor, Tensor | None]:
    """Run a network once, with gradients, and return the outputs of its modules.

    Args:
        model: The network.
        forward: Function that returns the logits of the network for images.
        images: Images, (N, C, H, W).
        name: Name of the only module to record; None records all.

    Returns:
        Outputs in the order in which modules finish, logits (N, num_classes), and the input of the
        last linear layer, if there is one.

    Raises:
        ValueError: If the logits are not finite.
    """
    outputs: list[Output] = []
    calls: dict[str, int] = {}
    kept: list[Tensor] = []

    def keep(key: str, module: nn.Module, output: Any) -> Any:
        calls[key] = calls.get(key, -1) + 1
        outputs.append(Output(key, module, calls[key], output))
        # the next module may work in place, which would change the kept value
        return output.clone() if isinstance(output, Tensor) else output

    handles = [
        module.register_forward_hook(lambda m, args, output, key=key: keep(key, m, output))
        for key, module in model.named_modules()
        if key and name in (None, key)
    ]
    linear = last_linear(model)
    if linear is not None:
        handles.append(linear[1].register_forward_pre_hook(lambda m, args: kept.append(args[0])))
    try:
        with torch.enable_grad():
            logits = forward(images.detach().requires_grad_().clone())
    finally:
        for handle in handles:
            handle.remove()
    check_logits(logits, images)
    return outputs, logits, kept[-1].detach() if kept else None


def token_counts(outputs: list[Output]) -> set[int]:
    """Return the numbers of tokens in the outputs of layers that act on each token by itself.

    Args:
        outputs: Outputs of one forward pass.
    """
    return {
        output.value.size(1)
        for output in outputs
        if isinstance(output.module, (nn.Linear, nn.LayerNorm)) and output.value.dim() == 3
    }


def is_candidate(output: Output, num_images: int, counts: set[int] | None) -> bool:
    """Return whether an output may have positions of the image.

    Args:
        output: Output of a module.
        num_images: Number of images in the pass.
        counts: Numbers of tokens from :func:`token_counts`; None for a module that the user named.
    """
    value = output.value
    if not isinstance(value, Tensor) or not value.requires_grad or value.dim() not in (3, 4):
        return False
    if len(value) != num_images:  # windows, or patches of patches
        return False
    if counts is None:
        return True
    # (N, C, tokens), or pooled over the tokens
    if value.dim() == 3 and (value.size(1) not in counts or value.size(2) == 1):
        return False
    if isinstance(output.module, nn.Linear):  # queries, keys and values rather than features
        return False
    # an attention matrix is as square as a map, and its rows sum to 1
    return not (value.dim() == 4 and _sums_to_one(value.detach()))


def _sums_to_one(value: Tensor) -> bool:
    sums = value.float().sum(dim=-1)
    return bool((value >= 0).all()) and torch.allclose(sums, torch.ones_like(sums), atol=1e-2)


def count_positions(outputs: list[Output], logits: Tensor, image_size: tuple[int, int]) -> None:
    """Set ``positions`` of each output: where the predicted logits depend on it.

    Args:
        outputs: Outputs of one forward pass; tokens without a layout are counted as well.
        logits: Logits of the same pass.
        image_size: Height and width of the images in pixels.
    """
    if not outputs or not logits.requires_grad:
        return
    values = [output.value for output in outputs]
    with torch.enable_grad():
        score = logits.amax(dim=1).sum()
        gradients = torch.autograd.grad(score, values, allow_unused=True)
    for output, gradient in zip(outputs, gradients, strict=True):
        if gradient is None:
            continue
        if output.layout is not None:
            alive = output.layout.to_map(gradient, image_size).abs().amax(dim=1) > 0
        elif gradient.dim() == 3:
            alive = gradient.abs().amax(dim=2) > 0
        else:
            continue
        output.positions = int(alive.flatten(1).sum(dim=1).amax())
