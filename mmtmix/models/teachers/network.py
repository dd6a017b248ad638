"""One way to the logits of MMPretrain's classifiers, of its wrappers, and of plain modules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmengine.model import BaseModel
from mmpretrain.models.heads import ConformerHead
from torch import Tensor, nn


def classify(model: nn.Module, inputs: Tensor) -> Tensor:
    """Return a classifier's logits (N, num_classes) for images (N, C, H, W).

    MMEngine's models are called with ``mode='tensor'``, other modules with the images alone.

    Args:
        model: A classifier.
        inputs: Images as it wants them.

    Raises:
        TypeError: If what it returns holds no logits.
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
    """Name and module of the linear layer that comes last among a network's modules, if any."""
    layers = [item for item in model.named_modules() if isinstance(item[1], nn.Linear)]
    return layers[-1] if layers else None


def declared_classes(model: nn.Module) -> int | None:
    """Number of classes that the config of an MMPretrain classifier gives, or None.

    Args:
        model: A classifier.
    """
    # MMPretrain's VGG classifies in its backbone
    for part in ('head', 'backbone'):
        found = getattr(getattr(model, part, None), 'num_classes', None)
        if isinstance(found, int) and found > 0:  # -1 is a backbone without a classifier
            return found
    return None
