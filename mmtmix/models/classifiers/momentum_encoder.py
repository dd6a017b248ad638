"""A copy of a classifier that follows it slowly."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy

import torch
from mmpretrain.models import ImageClassifier
from mmpretrain.structures import DataSample
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

    def features_and_logits(self, inputs: Tensor, layer: str) -> tuple[Tensor, Tensor]:
        """Return the output of a layer and the logits of the same forward pass, as constants.

        Args:
            inputs: Images, (N, C, H, W).
            layer: Name of the layer, such as ``'backbone.layer3'``.

        Returns:
            Output of the layer, and logits (N, num_classes).
        """
        outputs: list[Tensor] = []
        with torch.no_grad(), at_output(self.get_submodule(layer), outputs.append):
            logits = self.head(self.extract_feat(inputs))
        return outputs[0], logits

    def losses_and_logits(
        self, inputs: Tensor, data_samples: list[DataSample]
    ) -> tuple[dict[str, Tensor], Tensor]:
        """Return the head's losses and its logits for images, by one pass of the backbone.

        Args:
            inputs: Images, (N, C, H, W), whose gradients are kept.
            data_samples: N samples with labels.

        Returns:
            Losses by name, and logits (N, num_classes).
        """
        features = self.extract_feat(inputs)
        return self.head.loss(features, data_samples), self.head(features)

    def _pairs(self, model: ImageClassifier) -> Iterator[tuple[nn.Module, nn.Module]]:
        for name in _PARTS:
            if getattr(self, name) is not None:
                yield getattr(self, name), getattr(model, name)
