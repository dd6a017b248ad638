"""Saliency by contrast, without a network."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from mmtmix.functional import fine_grained_saliency, gray_levels
from mmtmix.models.teachers import InputStats, Renormalize
from mmtmix.models.teachers.input_stats import TASK_CURE

from .base import SALIENCY_SOURCES, SaliencySource


@SALIENCY_SOURCES.register_module()
class FineGrainedSaliency(SaliencySource):
    """Compute OpenCV's fine-grained saliency (Montabone and Soto 2010), as SaliencyMix does.

    It works on 8 bits, so normalised images are brought back to them. (SaliencyMix's public code
    passes normalised floats, whose bytes OpenCV then reads as gray levels.)

    Args:
        input_stats: Normalisation of the images: ``dict(mean=..., std=..., channel_order=...)`` in
            0-255 units, as they leave the data preprocessor. By default that of the running
            config. Outside of a run each image is stretched from its least to its largest value,
            and taken for RGB.

    Raises:
        TypeError: If ``input_stats`` is no dict, or has an unknown key.
        ValueError: If its channel order is unknown.
    """

    def __init__(self, input_stats: Mapping | InputStats | None = None):
        self._stats = None if input_stats is None else InputStats.from_dict(input_stats)
        self._to_pixels: Renormalize | None = None

    @property
    def title(self) -> str:
        """See :attr:`SaliencySource.title`."""
        return 'Fine-grained saliency'

    @torch.no_grad()
    def __call__(self, batch_inputs: Tensor, batch_scores: Tensor) -> Tensor:
        """See :meth:`SaliencySource.__call__`; the maps have the images' size and whole numbers.

        Raises:
            ValueError: If images have neither 1 nor 3 channels, or the running config lacks
                their normalisation or the order of their three channels.
        """
        inputs = batch_inputs.float()
        # read in each call, since a run may have begun or ended in between
        stats = InputStats.of_batch(self._stats, inputs.size(1))
        if stats is None:
            low, high = inputs.amin((1, 2, 3), keepdim=True), inputs.amax((1, 2, 3), keepdim=True)
            pixels, is_rgb = (inputs - low) / (high - low).clamp_min(1e-8) * 255, True
        else:
            if inputs.size(1) == 3 and stats.channel_order is None:
                raise ValueError(
                    'FineGrainedSaliency turns images grey, and the order of their colour '
                    f'channels is unknown ({stats.unknown.reason}); give {TASK_CURE} in it, for '
                    'the images as they leave the data_preprocessor'
                )
            is_rgb = stats.channel_order == 'rgb'
            if self._to_pixels is None or self._to_pixels.source != stats:
                self._to_pixels = Renormalize(stats, InputStats(), swap=False)
            pixels = self._to_pixels(inputs)
        return fine_grained_saliency(gray_levels(pixels, is_rgb))
