"""Images of a network in pixels of 0 to 255, seen through its own normalisation."""

from __future__ import annotations

import torch
from torch import Tensor

from .trained_classifier import TrainedClassifier

_SLACK = 0.5  # of a pixel, which normalising and back may lose


class PixelSpace:
    """A classifier whose inputs are pixels of 0 to 255, in float32.

    Args:
        classifier: The classifier. Its data preprocessor's ``mean`` and ``std`` count.
    """

    def __init__(self, classifier: TrainedClassifier):
        self.classifier = classifier
        preprocessor = classifier.model.data_preprocessor
        mean, std = getattr(preprocessor, 'mean', None), getattr(preprocessor, 'std', None)
        self.mean = torch.zeros(1, device=classifier.device) if mean is None else mean
        self.std = torch.ones(1, device=classifier.device) if std is None else std

    def to_pixels(self, inputs: Tensor) -> Tensor:
        """Return normalised images as pixels.

        Args:
            inputs: Images as the network gets them, (N, C, H, W).
        """
        return inputs.float() * self.std + self.mean

    def to_inputs(self, pixels: Tensor) -> Tensor:
        """Return pixels as the network gets them.

        Args:
            pixels: Images, (N, C, H, W).
        """
        return (pixels - self.mean) / self.std

    def logits(self, pixels: Tensor) -> Tensor:
        """Return logits (N, num_classes) in float32; gradients reach the pixels.

        Args:
            pixels: Images, (N, C, H, W).
        """
        return self.classifier.logits(self.to_inputs(pixels), dtype='float32')

    def check(self, pixels: Tensor) -> None:
        """Refuse images that are no pixels of 0 to 255 once the normalisation is undone.

        Args:
            pixels: Images, (N, C, H, W).

        Raises:
            ValueError: If values lie outside, or all of them in 0 to 1.
        """
        low, high = float(pixels.min()), float(pixels.max())
        if low < -_SLACK or high > 255 + _SLACK or (high <= 1 and high > 0 and low < high):
            raise ValueError(
                'attacks are in units of pixels from 0 to 255, and the test images are '
                f'{low:.4g} to {high:.4g} once mean and std of the data_preprocessor are undone; '
                'leave the normalisation to the data_preprocessor, with mean and std in 0-255 '
                'units'
            )
