"""Which layer Grad-CAM explains."""

from __future__ import annotations

import torch
from torch import Tensor, nn

CURE = (
    "set cam_layer='...' in the teacher to a module whose output is a feature map (N, C, h, w) "
    'or patch tokens (N, tokens, C) that the logits depend on'
)


def find_cam_layer(model: nn.Module, image: Tensor) -> str:
    """Choose the layer by one look at a forward pass.

    For MMPretrain's transformers that classify by a token it is the first norm of the last
    block: the last place where all patch tokens still act on the class token. Elsewhere it is
    the last module whose output is a feature map larger than 1x1.

    Args:
        model: A classifier in eval mode.
        image: One image, (1, C, H, W).

    Returns:
        The module's name.

    Raises:
        ValueError: If there is none, or tokens come after the last feature map.
    """
    backbone = getattr(model, 'backbone', model)
    blocks = getattr(backbone, 'layers', None)
    if hasattr(backbone, 'num_extra_tokens') and hasattr(_last(blocks), 'ln1'):
        return f'backbone.layers.{len(blocks) - 1}.ln1'
    outputs: list[tuple[str, torch.Size]] = []
    handles = [
        module.register_forward_hook(
            lambda module, args, output, name=name: (
                outputs.append((name, output.shape)) if isinstance(output, Tensor) else None
            )
        )
        for name, module in model.named_modules()
        if name
    ]
    try:
        with torch.no_grad():
            model(image, mode='tensor')
    finally:
        for handle in handles:
            handle.remove()
    for name, shape in reversed(outputs):
        if len(shape) == 4 and shape[-2] * shape[-1] > 1:
            return name
        if len(shape) == 3 and shape[1] > 1:
            raise ValueError(
                f'no class activation map can be chosen for {type(backbone).__name__}: '
                f'its module {name!r} gives tokens of shape {tuple(shape)}; {CURE}'
            )
    raise ValueError(
        f'{type(backbone).__name__} has no feature map larger than 1x1 for images of '
        f'{tuple(image.shape[-2:])} pixels; {CURE}, or use larger images'
    )


def tokens_to_map(tokens: Tensor, image_size: torch.Size, num_extra: int) -> Tensor:
    """Lay patch tokens out as a feature map with the image's aspect ratio.

    Args:
        tokens: (N, num_extra + h * w, C), class and register tokens first.
        image_size: (H, W) of the images, for the ratio of h to w.
        num_extra: Tokens that stand for no patch.

    Returns:
        (N, C, h, w).

    Raises:
        ValueError: If the patches don't fill a grid of that ratio.
    """
    patches = tokens[:, num_extra:].transpose(1, 2)
    count = patches.size(-1)
    height = round((count * image_size[0] / image_size[1]) ** 0.5)
    if height == 0 or count % height:
        raise ValueError(
            f'{count} patch tokens make no grid for images of {tuple(image_size)} pixels; {CURE}'
        )
    return patches.unflatten(-1, (height, count // height))


def _last(blocks: nn.Module | None) -> nn.Module | None:
    return blocks[-1] if isinstance(blocks, (nn.ModuleList, nn.Sequential)) and blocks else None
