"""Saliency without information about the image, as a reference for mixers that look at it."""

from __future__ import annotations

import torch
from torch import Tensor

from mmtmix.checks import check_number
from mmtmix.functional import low_frequency_noise, min_max
from mmtmix.models.draw import rank_generator

from .base import SALIENCY_SOURCES, ChangedSaliency, SaliencySource


@SALIENCY_SOURCES.register_module()
class OtherImages(ChangedSaliency):
    """Give each image of a batch the saliency of the image before it.

    The first image gets that of the last one. It is a placebo: the maps are those of ``source``,
    so their distribution is the same. They depend on nothing in the image that gets them, as long
    as the loader shuffles. No image gets its own map. Another image of the same class may be
    before it. Nothing is drawn, so weights and partners are those of the same augment with
    ``source`` itself.

    It needs all images of a batch in their order.

    Args:
        source: Source of :mod:`mmtmix.models.saliency`: its name, ``dict(type=..., ...)`` or the
            source.

    Raises:
        TypeError: If ``source`` is no source.
        ValueError: If there is no source of this name.
    """

    @property
    def title(self) -> str:
        """See :attr:`SaliencySource.title`."""
        return f'{self.source.title} of another image'

    @property
    def needs_batch(self) -> bool:
        """See :attr:`SaliencySource.needs_batch`."""
        return True

    def __call__(self, batch_inputs: Tensor, batch_scores: Tensor) -> Tensor:
        """See :meth:`SaliencySource.__call__`.

        Raises:
            ValueError: If the batch has a single image.
        """
        if len(batch_inputs) < 2:
            raise ValueError(
                'OtherImages needs another image in the batch, got a batch of '
                f'{len(batch_inputs)}; use a larger batch'
            )
        return self.source(batch_inputs, batch_scores).roll(1, dims=0)


@SALIENCY_SOURCES.register_module()
class NoiseSaliency(SaliencySource):
    """Return smooth noise, scaled to [0, 1], that depends on no pixel of the images.

    It is a placebo. Noise is that of :func:`~mmtmix.functional.low_frequency_noise`, new in each
    call. In an augment it comes from the generator of the mix, after weights and partners. A call
    on its own draws one number from torch's CPU generator, and starts from it and the rank.

    Args:
        decay_power: Power by which the noise falls off with frequency, >= 0; the larger, the
            smoother.

    Raises:
        TypeError: If ``decay_power`` is no number.
        ValueError: If it is negative.
    """

    def __init__(self, decay_power: float = 3.0):
        check_number('decay_power', decay_power, 0, cure='FMix uses 3')
        self.decay_power = decay_power
        self._generator: torch.Generator | None = None

    @property
    def title(self) -> str:
        """See :attr:`SaliencySource.title`."""
        return 'Noise'

    def drawing_from(self, generator: torch.Generator) -> SaliencySource:
        """See :meth:`SaliencySource.drawing_from`."""
        source = NoiseSaliency(self.decay_power)
        source._generator = generator
        return source

    @torch.no_grad()
    def __call__(self, batch_inputs: Tensor, batch_scores: Tensor) -> Tensor:
        """See :meth:`SaliencySource.__call__`; the maps have the images' size."""
        generator = self._generator or rank_generator()
        height, width = batch_inputs.shape[-2:]
        count = len(batch_inputs)
        noise = low_frequency_noise(count, height, width, self.decay_power, generator)
        return min_max(noise[:, None]).to(batch_inputs.device, non_blocking=True)
