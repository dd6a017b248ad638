"""Choose the layer of an activation map by the gradient of the logits.

A layer serves if its output has positions of the image, and if the logits depend on it at several
positions. The shape shows the first. One backward pass over one or two images shows the second. It
also distinguishes the calls of a module that runs several times in a pass.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from .layouts import Layout, find_layout
from .network import last_linear
from .outputs import Forward, Output, count_positions, is_candidate, record_outputs, token_counts

INSTEAD = (
    "or saliency='input_gradient' in the teacher, which needs no layer and works for any network"
)
CURE = (
    "set cam_layer='...' in the teacher to a module whose output is a feature map (N, C, h, w) "
    'or (N, h, w, C), or patch tokens (N, tokens, C), that the logits depend on at several '
    f'positions; {INSTEAD}'
)


@dataclass(frozen=True)
class CamLayer:
    """The layer that an activation map is taken from.

    Attributes:
        name: Name of the module.
        call: Number of its call in a forward pass, from 0.
        layout: Layout of its output.
        classifier: The linear layer for which ``logits = classifier(mean of the output)`` was
            seen to hold, so that the classic CAM is exact; None where it does not.
    """

    name: str
    call: int
    layout: Layout
    classifier: nn.Linear | None = None


def find_cam_layer(
    model: nn.Module,
    forward: Forward,
    images: Tensor,
    name: str | None = None,
    num_extra_tokens: int | None = None,
) -> CamLayer:
    """Choose the layer by one forward and one backward pass.

    It is the last output on which the logits depend at more than one position of the image. After
    the attention of a transformer's last block only the class token counts, so that there the
    norm before the attention is chosen.

    Args:
        model: A frozen classifier in eval mode.
        forward: Function that returns its logits for images.
        images: One or two images, (N, C, H, W).
        name: Name of the only module to consider; None to choose among all.
        num_extra_tokens: Number of tokens that stand for no patch; None to infer it from the
            number of tokens and the aspect of the images.

    Returns:
        The layer; its ``classifier`` is None if ``name`` is given.

    Raises:
        ValueError: If there is none.
    """
    outputs, logits, linear_input = record_outputs(model, forward, images, name)
    image_size = (images.size(-2), images.size(-1))
    if name is not None:
        _check_outputs(outputs, name)
    counts = None if name is not None else token_counts(outputs)
    candidates = [o for o in outputs if is_candidate(o, len(images), counts)]
    declared = getattr(getattr(model, 'backbone', None), 'num_extra_tokens', None)
    for output in candidates:
        output.layout = find_layout(output.value.shape, image_size, num_extra_tokens)
        if num_extra_tokens is None and declared is not None:
            own = find_layout(output.value.shape, image_size, declared)
            output.layout = own or output.layout
    count_positions(candidates, logits, image_size)
    if not any(output.positions for output in candidates) and name is None:
        _check_dependence(forward, images)
    chosen = next((output for output in reversed(candidates) if output.positions > 1), None)
    if chosen is None or chosen.layout is None:
        raise ValueError(_reason(model, name, candidates, chosen, image_size))
    classifier = None
    if name is None:
        classifier = _exact_classifier(model, chosen, logits, linear_input, image_size)
    return CamLayer(chosen.name, chosen.call, chosen.layout, classifier)


def _check_outputs(outputs: list[Output], name: str) -> None:
    """Refuse a module, named by the user, whose output is no map."""
    if not outputs:
        raise ValueError(f'cam_layer={name!r} takes no part in the forward pass; {CURE}')
    value = outputs[-1].value
    if not isinstance(value, Tensor) or value.dim() not in (3, 4):
        raise ValueError(f'cam_layer={name!r} gives no feature map; {CURE}')


def _check_dependence(forward: Forward, images: Tensor) -> None:
    """Refuse a network whose logits are the same for all images, as with a last layer of zeros."""
    with torch.enable_grad():
        leaf = images.detach().requires_grad_()
        score = forward(leaf.clone()).amax(dim=1).sum()
        (gradient,) = (
            torch.autograd.grad(score, leaf, allow_unused=True) if score.requires_grad else (None,)
        )
    if gradient is None or not gradient.any():
        raise ValueError(
            "the teacher's logits do not depend on the images, so nothing explains them; is it "
            'trained? A last layer of zeros, as some networks start with, gives equal logits'
        )


def _reason(
    model: nn.Module,
    name: str | None,
    candidates: list[Output],
    last: Output | None,
    image_size: tuple[int, int],
) -> str:
    """Return why no output serves; ``last`` has positions, but no grid."""
    subject = type(getattr(model, 'backbone', model)).__name__
    size = f'images of {tuple(image_size)} pixels'
    if last is not None or (name is not None and candidates and candidates[-1].layout is None):
        found = last or candidates[-1]
        return (
            f'no class activation map can be made for {subject}: {found.name!r} gives an output '
            f'of shape {tuple(found.value.shape)}, which fills no grid for {size}; give the '
            'number of tokens that stand for no patch, num_extra_tokens=... in the teacher, or '
            f'{CURE}'
        )
    if name is None:
        return (
            f'no class activation map can be chosen for {subject}: no module gives a feature map '
            f'larger than 1x1, or tokens on a grid, for {size} on which its logits depend at '
            f'several positions; {CURE}, or use larger images'
        )
    if not candidates:
        return (
            f'the logits of {subject} do not depend on cam_layer={name!r}, or its output is not '
            f'one per image; {CURE}'
        )
    return (
        f'the logits of {subject} do not depend on the positions of cam_layer={name!r} (on '
        f'{candidates[-1].positions} at most, laid out as {candidates[-1].layout}), so its map '
        f'would be empty; take an earlier layer: {CURE}'
    )


def _exact_classifier(
    model: nn.Module,
    chosen: Output,
    logits: Tensor,
    linear_input: Tensor | None,
    image_size: tuple[int, int],
) -> nn.Linear | None:
    """Return the linear layer with ``logits = classifier(mean of the output)``, if that holds.

    Then the mean of the classic CAM of class c is ``logit_c - bias_c``.
    """
    linear = last_linear(model)
    if linear is None or linear_input is None or linear_input.dim() != 2:
        return None
    weight, bias = linear[1].weight, linear[1].bias
    if chosen.layout is None:
        return None
    features = chosen.layout.to_map(chosen.value.detach(), image_size).float()
    if features.size(1) != weight.size(1) or logits.size(1) != weight.size(0):
        return None
    expected = torch.nn.functional.linear(
        features.mean(dim=(2, 3)), weight.float(), None if bias is None else bias.float()
    )
    tolerance = 1e-4 if logits.dtype == torch.float32 else 2e-2
    scale = float(expected.abs().amax().clamp_min(1e-12))
    is_exact = torch.allclose(
        logits.detach().float(), expected, rtol=tolerance, atol=tolerance * scale
    )
    return linear[1] if is_exact else None
