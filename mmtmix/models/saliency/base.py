"""The interface of saliency sources."""

from __future__ import annotations

from abc import ABCMeta, abstractmethod
from collections.abc import Mapping

from mmengine.registry import Registry
from torch import Tensor

from mmtmix.checks import check_arguments, check_choice

SALIENCY_SOURCES = Registry('saliency source')
"""Sources by name; used by our mixers alone, which need no scope."""


class SaliencySource(metaclass=ABCMeta):
    """Tells how much each part of an image matters."""

    @abstractmethod
    def __call__(self, batch_inputs: Tensor, batch_scores: Tensor) -> Tensor:
        """Look at a batch.

        Args:
            batch_inputs: Normalised images, (N, C, H, W); never written to.
            batch_scores: Their labels, (N, num_classes).

        Returns:
            Saliency >= 0, float32 (N, 1, h, w), of a scale and size of the source's own, without
            gradients.
        """

    def load(self) -> None:  # noqa: B027  (optional)
        """Read the files that it needs; otherwise the first call does."""


def build_saliency(source: str | Mapping | SaliencySource) -> SaliencySource:
    """Make a source.

    Args:
        source: A name such as ``'InputGradient'``, a config such as
            ``dict(type='TeacherCAM', teacher=...)``, or a source, which is shared.

    Raises:
        TypeError: If it is none of these.
        ValueError: If there is no source of this name.
    """
    if isinstance(source, SaliencySource):
        return source
    config = dict(type=source) if isinstance(source, str) else source
    if not isinstance(config, Mapping) or 'type' not in config:
        raise TypeError(
            f'saliency must be a name, dict(type=..., ...) or a SaliencySource, got {source!r}'
        )
    settings = dict(config)
    kind = settings.pop('type')
    if isinstance(kind, str):
        check_choice('saliency', kind, sorted(SALIENCY_SOURCES.module_dict))
        kind = SALIENCY_SOURCES.module_dict[kind]
    check_arguments('saliency', settings, kind)
    # not by `build`, which looks for a registry of the default scope and warns that there is none
    return kind(**settings)
