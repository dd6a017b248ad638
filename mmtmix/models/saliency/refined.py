"""Saliency of another source, sharpened by the colours of the images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from mmtmix.checks import check_integer, check_number, check_numbers
from mmtmix.functional import colour_evidence, min_max, resize_map, spread_by_colour

from .base import SALIENCY_SOURCES, ChangedSaliency, SaliencySource


@SALIENCY_SOURCES.register_module()
class RefinedSaliency(ChangedSaliency):
    """Sharpen saliency to the edges of objects, by colour.

    Class activation maps have a few cells per side, and mark the part of an object by which a
    teacher knows it. :func:`~mmtmix.functional.colour_evidence` extends them to what has the same
    colours, and :func:`~mmtmix.functional.spread_by_colour` to the edges. Nothing is learned.

    Args:
        source: Source of :mod:`mmtmix.models.saliency`: its name, ``dict(type=..., ...)`` or the
            source.
        bandwidth: Standard deviation of the kernel of colours, > 0, in units of the normalised
            images.
        evidence_rounds: Number of rounds of the colour evidence, >= 0; 0 leaves it out.
        spread_rounds: Number of averages over neighbours, >= 0; 0 leaves them out.
        dilations: Distances of these neighbours in pixels, each >= 1.

    Raises:
        TypeError: If ``source`` is no source, or an argument is of another type.
        ValueError: If an argument is out of its range.
    """

    def __init__(
        self,
        source: str | Mapping | SaliencySource,
        bandwidth: float = 0.4,
        evidence_rounds: int = 3,
        spread_rounds: int = 5,
        dilations: Sequence[int] = (1, 2, 4),
    ):
        check_number('bandwidth', bandwidth, above=0)
        check_integer('evidence_rounds', evidence_rounds, 0)
        check_integer('spread_rounds', spread_rounds, 0)
        check_numbers('dilations', dilations, least=1, whole=True)
        super().__init__(source)
        self.bandwidth, self.dilations = bandwidth, tuple(dilations)
        self.evidence_rounds, self.spread_rounds = evidence_rounds, spread_rounds

    @property
    def title(self) -> str:
        """See :attr:`SaliencySource.title`."""
        return f'{self.source.title}, refined'

    @torch.no_grad()
    def __call__(self, batch_inputs: Tensor, batch_scores: Tensor) -> Tensor:
        """See :meth:`SaliencySource.__call__`; maps have the images' size, and are in [0, 1]."""
        maps, size = self.source(batch_inputs, batch_scores), batch_inputs.shape[-2:]
        maps = min_max(resize_map(maps.float(), (size[0], size[1])))
        if self.evidence_rounds:
            maps = colour_evidence(batch_inputs, maps, self.bandwidth, self.evidence_rounds)
        return spread_by_colour(batch_inputs, maps, self.spread_rounds, self.dilations)
