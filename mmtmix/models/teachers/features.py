"""What a classifier's last layers see, for losses that compare features."""

from __future__ import annotations

from mmpretrain.models.heads import DeiTClsHead
from torch import Tensor, nn

from .network import classify, last_linear

_CURE = (
    "use a teacher with one of MMPretrain's heads such as LinearClsHead, or whose last layer is "
    'nn.Linear'
)


def has_pre_logits(model: nn.Module) -> bool:
    """Whether a classifier has one of MMPretrain's heads, which give their features.

    timm's heads have a layer of that name.

    Args:
        model: A classifier.
    """
    return hasattr(model, 'extract_feat') and hasattr(getattr(model, 'head', None), 'pre_logits')


def feature_layers(model: nn.Module) -> list[nn.Linear]:
    """Return the linear layers of a classifier whose outputs are its logits.

    Args:
        model: A classifier of MMPretrain, or any module.

    Returns:
        The last layer; both last layers of a ``DeiTClsHead``, which averages their logits; none
        if there is no linear layer.
    """
    head = getattr(model, 'head', None)
    if isinstance(head, DeiTClsHead):
        return [head.layers.head, head.layers.head_dist]
    found = last_linear(head if has_pre_logits(model) else model)
    return [] if found is None else [found[1]]


def feature_dim(model: nn.Module) -> int:
    """Return the number of features that the last layers see, side by side; 0 if there are none.

    Args:
        model: A classifier of MMPretrain, or any module.
    """
    return sum(layer.in_features for layer in feature_layers(model))


def linear_features(model: nn.Module, inputs: Tensor) -> tuple[Tensor, Tensor]:
    """Return a plain module's logits (N, num_classes) and its last layer's input (N, D).

    Args:
        model: A classifier whose last registered linear layer gives the logits.
        inputs: Images, (N, C, H, W).

    Raises:
        ValueError: If it has no linear layer, or the last one does not give the logits.
    """
    found = last_linear(model)
    if found is None:
        raise ValueError(
            f'the teacher {type(model).__name__} has no pre_logits, so its features are unknown, '
            f'and no linear layer; {_CURE}'
        )
    name, layer = found
    kept: list[tuple[Tensor, Tensor]] = []
    handle = layer.register_forward_hook(
        lambda module, args, output: kept.append((args[0], output))
    )
    try:
        logits = classify(model, inputs)
    finally:
        handle.remove()
    if len(kept) != 1 or kept[0][0].dim() != 2 or kept[0][1].shape != logits.shape:
        raise ValueError(
            f'the last linear layer of the teacher {type(model).__name__}, {name!r}, does not '
            f'give its logits, so its features are unknown; {_CURE}'
        )
    return logits, kept[0][0]
