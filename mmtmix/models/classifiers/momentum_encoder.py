"""A copy of a classifier that follows it slowly."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy

import torch
from mmpretrain.models import ImageClassifier
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from .stages import at_output

_PARTS = ('backbone', 'neck', 'head')


class MomentumEncoder(ImageClassifier):
    """Follows a classifier: ``k <- momentum * k + (1 - momentum) * q`` for each weight.

    It has no gradients. Buffers don't follow: in training mode it keeps statistics of its own
    batches, as in the authors' code of AutoMix.

    Args:
        model: Classifier that it follows.
    """

    def __init__(self, model: ImageClassifier):
        super().__init__(*(deepcopy(getattr(model, name)) for name in _PARTS))
        self.requires_grad_(False)

    @torch.no_grad()
    def reset(self, model: ImageClassifier) -> None:
        """Copy the classifier, buffers included.

        Args:
            model: The classifier.
        """
        for ours, theirs in self._pairs(model):
            ours.load_state_dict(theirs.state_dict())

    @torch.no_grad()
    def follow(self, model: ImageClassifier, momentum: float) -> None:
        """Move one step towards the classifier.

        Args:
            model: The classifier.
            momentum: Share of the old weights, in [0, 1]; at 1 nothing moves.
        """
        move = get_ema_multi_avg_fn(momentum)
        for ours, theirs in self._pairs(model):
            copied, followed = list(ours.parameters()), list(theirs.parameters())
            if copied:
                move(copied, followed, None)

    @torch.no_grad()
    def features(self, inputs: Tensor, layer: str) -> Tensor:
        """Return the output of a layer, without a gradient.

        Args:
            inputs: Images, (N, C, H, W).
            layer: Name of the layer, such as ``'backbone.layer3'``.
        """
        outputs: list[Tensor] = []
        with at_output(self.get_submodule(layer), outputs.append):
            self.backbone(inputs)
        return outputs[0]

    def _pairs(self, model: ImageClassifier) -> Iterator[tuple[nn.Module, nn.Module]]:
        for name in _PARTS:
            if getattr(self, name) is not None:
                yield getattr(self, name), getattr(model, name)
