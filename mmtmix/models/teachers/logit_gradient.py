"""Saliency by the gradient of a class's logit with respect to the image."""

from __future__ import annotations

import torch
from torch import Tensor

from mmtmix.functional import gradient_saliency

from .outputs import Forward


class LogitGradient:
    """Image-specific saliency of Simonyan et al. 2014; unlike CAMs it is as large as the image.

    :class:`mmtmix.models.InputGradient` is that of the loss of the network in training.

    Args:
        forward: Function that returns a classifier's logits for images.
    """

    source = 'gradients of its logits by the image'
    title = 'Logit gradient'
    can_compile = False

    def __init__(self, forward: Forward):
        self._logits = forward

    def forward(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits (N, num_classes) and the images, a leaf of the graph."""
        images = inputs.detach().requires_grad_()
        with torch.enable_grad():
            # a copy, since the first module may work in place, and a leaf must not change
            return self._logits(images.clone()), images

    def maps(
        self, logits: Tensor, features: Tensor, classes: Tensor, image_size: torch.Size
    ) -> Tensor:
        """Return maps (N, 1, H, W), >= 0."""
        explained = torch.zeros_like(logits).scatter_(1, classes[:, None], 1)
        (gradients,) = torch.autograd.grad(logits, features, explained)
        return gradient_saliency(gradients)

    def exact_maps(self, features: Tensor, image_size: torch.Size) -> None:
        """Return None, since no map of a gradient adds up to a logit."""
