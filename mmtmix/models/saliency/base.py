"""The interface of saliency sources."""

from __future__ import annotations

from abc import ABCMeta, abstractmethod
from collections.abc import Iterator, Mapping
from copy import copy

import torch
from mmengine.registry import Registry
from torch import Tensor

from mmtmix.models.named_parts import build_named
from mmtmix.models.teachers import TeacherMixin

SALIENCY_SOURCES = Registry('saliency source', scope='mmtmix')  # inferring the scope is slow
"""Sources by name. Only our augments build them, so configs name them without a scope."""


class SaliencySource(metaclass=ABCMeta):
    """Compute how much each part of an image matters."""

    @property
    def title(self) -> str:
        """Name of the maps in pictures."""
        return 'Saliency'

    @property
    def needs_batch(self) -> bool:
        """Whether a call must get the whole batch, in its order, and not some of its images."""
        return self.adds_loss

    @property
    def adds_loss(self) -> bool:
        """Whether a call adds a loss to the step; a second one would replace it."""
        return False

    @property
    def needs_network(self) -> bool:
        """Whether a call runs a network, which has no place in a data loader's worker."""
        return isinstance(self, TeacherMixin)

    @property
    def parts(self) -> Iterator[SaliencySource]:
        """The source itself, and sources inside of it."""
        yield self

    @abstractmethod
    def __call__(self, batch_inputs: Tensor, batch_scores: Tensor) -> Tensor:
        """Return the saliency of images.

        Args:
            batch_inputs: Images, normalised, (N, C, H, W); never written to.
            batch_scores: Labels of the images, (N, num_classes).

        Returns:
            Saliency >= 0, float32 (N, 1, h, w), in the source's own scale and size, without
            gradients.
        """

    def drawing_from(self, generator: torch.Generator) -> SaliencySource:
        """Return a source that draws from a generator; one without randomness returns itself.

        Args:
            generator: Source of randomness of the mix, on the CPU.
        """
        return self

    def load(self) -> None:  # noqa: B027  (optional)
        """Read the files that the source needs, before its first call would read them."""


class ChangedSaliency(SaliencySource):
    """Change the saliency of another source.

    Args:
        source: Source of :mod:`mmtmix.models.saliency`: its name, ``dict(type=..., ...)`` or the
            source.

    Raises:
        TypeError: If ``source`` is no source.
        ValueError: If there is no source of this name.
    """

    def __init__(self, source: str | Mapping | SaliencySource):
        self.source = build_saliency(source)

    @property
    def needs_batch(self) -> bool:
        """See :attr:`SaliencySource.needs_batch`."""
        return self.source.needs_batch

    @property
    def adds_loss(self) -> bool:
        """See :attr:`SaliencySource.adds_loss`."""
        return self.source.adds_loss

    @property
    def needs_network(self) -> bool:
        """See :attr:`SaliencySource.needs_network`."""
        return self.source.needs_network

    @property
    def parts(self) -> Iterator[SaliencySource]:
        """See :attr:`SaliencySource.parts`."""
        yield self
        yield from self.source.parts

    def drawing_from(self, generator: torch.Generator) -> SaliencySource:
        """See :meth:`SaliencySource.drawing_from`."""
        changed = copy(self)
        changed.source = self.source.drawing_from(generator)
        return changed

    def load(self) -> None:
        """See :meth:`SaliencySource.load`."""
        self.source.load()


def build_saliency(source: str | Mapping | SaliencySource) -> SaliencySource:
    """Build a source of saliency.

    Args:
        source: Name such as ``'InputGradient'``, or config such as
            ``dict(type='TeacherCAM', teacher=...)``, or a source, which is returned as it is.

    Raises:
        TypeError: If it is none of these.
        ValueError: If there is no source of this name.
    """
    return build_named('saliency', SALIENCY_SOURCES, source, SaliencySource)
