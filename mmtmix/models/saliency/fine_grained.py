"""Saliency by contrast alone, without any network."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from mmtmix.functional import fine_grained_saliency, gray_levels
from mmtmix.models.teachers import InputStats, Renormalize

from .base import SALIENCY_SOURCES, SaliencySource


@SALIENCY_SOURCES.register_module()
class FineGrainedSaliency(SaliencySource):
    """OpenCV's fine-grained saliency (Montabone and Soto 2010), which SaliencyMix uses.

    It needs images in 8 bits, and brings normalised ones back to them. (SaliencyMix's public code
    hands over normalised floats, whose bytes OpenCV then takes for gray levels.)

    Args:
        input_stats: How images are normalised: ``dict(mean=..., std=..., to_rgb=...)`` in 0-255
            units, or the settings of a data preprocessor. By default what the running config
            says; outside of a run each image is stretched from its least to its largest value,
            and taken for RGB.

    Raises:
        TypeError: If ``input_stats`` is no dict.
    """

    def __init__(self, input_stats: Mapping | None = None):
        if input_stats is not None and not isinstance(input_stats, Mapping):
            raise TypeError(
                f'input_stats must be dict(mean=..., std=..., to_rgb=...), got {input_stats!r}'
            )
        self._stats = None if input_stats is None else InputStats.from_preprocessor(input_stats)
        self._to_pixels: Renormalize | None = None

    @torch.no_grad()
    def __call__(self, batch_inputs: Tensor, batch_scores: Tensor) -> Tensor:
        """See :meth:`SaliencySource.__call__`; of the images' size, in whole numbers.

        Raises:
            ValueError: If images have neither 1 nor 3 channels, or the running config doesn't
                say how they are normalised.
        """
        inputs = batch_inputs.float()
        # asked each time: a run may have begun or ended since
        stats = self._stats or InputStats.of_running_task()
        if stats is None:
            low, high = inputs.amin((1, 2, 3), keepdim=True), inputs.amax((1, 2, 3), keepdim=True)
            pixels, is_rgb = (inputs - low) / (high - low).clamp_min(1e-8) * 255, True
        else:
            is_rgb = stats.to_rgb
            if self._to_pixels is None or self._to_pixels.source != stats:
                self._to_pixels = Renormalize(stats, InputStats(to_rgb=is_rgb))
            pixels = self._to_pixels(inputs)
        return fine_grained_saliency(gray_levels(pixels, is_rgb))
