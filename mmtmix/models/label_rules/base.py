"""The interface of label rules, which label the mixes of any augment."""

from __future__ import annotations

from abc import ABCMeta, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from mmengine.registry import Registry
from torch import Tensor

from mmtmix.checks import check_choice
from mmtmix.models.draw import Details
from mmtmix.models.named_parts import build_named
from mmtmix.models.saliency import SaliencySource
from mmtmix.models.teachers import FrozenTeacher, TeacherMixin

LABEL_RULES = Registry('label rule', scope='mmtmix')  # inferring the scope is slow
"""Label rules by name. Only our augments build them, so configs name them without a scope."""

GT = 'gt'
"""The label of every augment by default: its own weights on the ground truth."""

SHORT_NAMES: dict[str, dict[str, Any]] = {
    'visible': dict(type='VisibleLabels'),
    'hard_teacher': dict(type='TeacherLabels', kind='hard'),
    'soft_teacher': dict(type='TeacherLabels', kind='soft'),
}
"""Configs of label rules by the values that ``labels`` of an augment takes as well."""


class Labelled(Protocol):
    """What a label rule reads of an augment."""

    teacher: FrozenTeacher | None
    saliency: SaliencySource | None
    gives_saliency: bool

    def warp_sources(self, images: Tensor, details: Details) -> Tensor:
        """Return the images of each mix where they lie in it, (M, k, C, H, W)."""


@dataclass(frozen=True)
class MixToLabel:
    """M mixes of a batch, and what made them.

    Attributes:
        augment: Augment that made them.
        images: Images of the batch, normalised, (N, C, H, W).
        scores: Labels of the batch, (N, num_classes), floating point.
        mixed: Mixes, (M, C, H, W).
        details: Details of the mixes: ``weights`` (M, k), ``index`` (M, k), ``masks``
            (M, k, 1, H, W) where the rule needs them, and what the augment added.
        generator: Source of randomness on the CPU, after all that the mixes drew from it.
    """

    augment: Labelled
    images: Tensor
    scores: Tensor
    mixed: Tensor
    details: Details
    generator: torch.Generator


class LabelRule(metaclass=ABCMeta):
    """Compute the labels of mixes, in place of the augment's own weights on the ground truth.

    A rule keeps no state that changes a label. Its randomness comes from the draw of the mix.
    """

    needs_masks: bool = False
    """Whether a call reads ``masks`` and the like in the details, as of ``full_details``."""
    gives_targets: bool = False
    """Whether a call returns ``targets`` in place of ``weights``."""

    @property
    def parts(self) -> Iterator[TeacherMixin | SaliencySource]:
        """The teachers' holders and saliency sources of the rule itself."""
        if isinstance(self, TeacherMixin):
            yield self
        saliency = getattr(self, 'saliency', None)
        if saliency is not None:
            yield saliency

    @property
    def needs_network(self) -> bool:
        """Whether labelling runs a network, which has no place in a data loader's worker."""
        return any(isinstance(p, TeacherMixin) or p.needs_network for p in self.parts)

    def check_augment(self, augment: Labelled) -> None:  # noqa: B027  (optional)
        """Refuse an augment whose mixes the rule cannot label.

        Args:
            augment: The augment, built.

        Raises:
            ValueError: If the rule lacks what this augment does not have.
        """

    def load(self) -> None:
        """Read the files that labelling needs, before the first call would read them."""
        for part in self.parts:
            if part is not self:
                part.load()

    @abstractmethod
    def __call__(self, mix: MixToLabel) -> Details:
        """Return what the labels of mixes follow.

        Args:
            mix: The mixes; no tensor of them is written to.

        Returns:
            Details that replace those of the mixes: ``weights`` (M, k), shares of the labels of
            the source images, rows on the simplex; or ``targets`` (M, num_classes), the labels.
        """


def build_labels(
    labels: str | Mapping | LabelRule, own: Sequence[str] = (GT,)
) -> LabelRule | None:
    """Build the label rule of an augment.

    Args:
        labels: A name in ``own``; a name in ``SHORT_NAMES``, such as ``'visible'``; the name of a
            registered rule; a config such as ``dict(type='VisibleLabels', saliency=...)``; or a
            rule, which is returned as it is.
        own: Names of labels that the augment makes itself.

    Returns:
        The rule; None for the augment's own labels.

    Raises:
        TypeError: If it is none of these.
        ValueError: If there is no rule of this name.
    """
    if isinstance(labels, str):
        if labels in own:
            return None
        names = dict.fromkeys([*own, *SHORT_NAMES, *sorted(LABEL_RULES.module_dict)])
        check_choice('labels', labels, names)
        labels = SHORT_NAMES.get(labels, labels)
    return build_named('labels', LABEL_RULES, labels, LabelRule)
