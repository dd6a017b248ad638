"""Logits and features of MMPretrain's classifiers, of its wrappers, and of plain modules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmengine.model import BaseModel
from mmpretrain.models.heads import ClsHead, ConformerHead, DeiTClsHead
from torch import Tensor, nn

_FEATURES_CURE = (
    "use a teacher with one of MMPretrain's heads such as LinearClsHead, or whose last layer is "
    'nn.Linear'
)


def classify(model: nn.Module, inputs: Tensor) -> Tensor:
    """Return a classifier's logits (N, num_classes) for images (N, C, H, W).

    MMEngine's models are called with ``mode='tensor'``, other modules with the images alone.

    Args:
        model: A classifier.
        inputs: Images, normalised for it.

    Raises:
        TypeError: If it returns no logits.
    """
    if not isinstance(model, BaseModel):
        return _logits(model, model(inputs))
    output = model(inputs, mode='tensor')
    if isinstance(getattr(model, 'head', None), ConformerHead):
        return sum(output)  # of both branches, as its own predictions
    return _logits(model, output)


def _logits(model: nn.Module, output: Any) -> Tensor:
    if isinstance(output, Mapping) and 'logits' in output:
        output = output['logits']
    elif not isinstance(output, Tensor) and hasattr(output, 'logits'):
        output = output.logits
    if not isinstance(output, Tensor) or output.dim() != 2:
        found = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
        raise TypeError(
            f'the teacher {type(model).__name__} must return logits (N, num_classes), or an '
            f'object that holds them as `logits`; it returns {found}. Wrap it in a module whose '
            'forward returns the logits alone'
        )
    return output


def last_linear(model: nn.Module) -> tuple[str, nn.Linear] | None:
    """Return name and module of the last linear layer among a network's modules; None if none.

    Args:
        model: A network.
    """
    layers = [item for item in model.named_modules() if isinstance(item[1], nn.Linear)]
    return layers[-1] if layers else None


def declared_classes(model: nn.Module) -> int | None:
    """Return the number of classes that an MMPretrain classifier was configured with, or None.

    Args:
        model: A classifier.
    """
    # MMPretrain's VGG classifies in its backbone
    for part in ('head', 'backbone'):
        found = getattr(getattr(model, part, None), 'num_classes', None)
        if isinstance(found, int) and found > 0:  # -1 is a backbone without a classifier
            return found
    return None


def has_pre_logits(model: nn.Module) -> bool:
    """Return whether a classifier has one of MMPretrain's heads, which return their features.

    timm's heads have a layer named ``pre_logits``, so that name alone does not show it. A plain
    ``ClsHead`` returns what its backbone gives, which are the logits of a VGG.

    Args:
        model: A classifier.
    """
    head: Any = getattr(model, 'head', None)
    if not hasattr(model, 'extract_feat') or not hasattr(head, 'pre_logits'):
        return False
    return type(head).pre_logits is not ClsHead.pre_logits or last_linear(head) is not None


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
    found = last_linear(head if head is not None and has_pre_logits(model) else model)
    return [] if found is None else [found[1]]


def feature_dim(model: nn.Module) -> int:
    """Return the number of inputs of the last layers, side by side; 0 if there are none.

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
            f'and no linear layer; {_FEATURES_CURE}'
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
            f'give its logits, so its features are unknown; {_FEATURES_CURE}'
        )
    return logits, kept[0][0]
