"""What an augment consists of: its teacher, its sources of saliency and its label rule."""

from __future__ import annotations

from torch.utils.data import get_worker_info

from mmtmix.models.label_rules import LabelRule
from mmtmix.models.saliency import SaliencySource
from mmtmix.models.teachers import FrozenTeacher, TeacherMixin


class AugmentParts:
    """Hold the parts of an augment, return what they need, and read their files."""

    teacher: FrozenTeacher | None = None
    """Teacher of the augment itself; that of a saliency source belongs to the source."""
    saliency: SaliencySource | None = None
    """Source of the saliency that the augment mixes by."""
    label_rule: LabelRule | None = None
    """Rule of the labels; None for the augment's own."""

    @property
    def needs_network(self) -> bool:
        """Whether mixing runs a network, which has no place in a data loader's worker."""
        if isinstance(self, TeacherMixin) or any(s.needs_network for s in self.sources):
            return True
        return self.label_rule is not None and self.label_rule.needs_network

    @property
    def needs_batch(self) -> bool:
        """Whether mixing a part of a batch still needs all of its images."""
        return any(source.needs_batch for source in self.sources)

    @property
    def adds_loss(self) -> bool:
        """Whether mixing adds a loss to those of the step."""
        return any(source.adds_loss for source in self.sources)

    @property
    def sources(self) -> tuple[SaliencySource, ...]:
        """All sources of saliency: of the masks, of the labels, and those inside of others."""
        of_labels = getattr(self.label_rule, 'saliency', None)
        own = [source for source in (self.saliency, of_labels) if source is not None]
        return tuple(part for source in own for part in source.parts)

    @property
    def teacher_holders(self) -> tuple[TeacherMixin, ...]:
        """All parts with a teacher: the augment itself, sources of saliency, the label rule."""
        parts: list[object] = [self, *self.sources, self.label_rule]
        return tuple(part for part in parts if isinstance(part, TeacherMixin) and part.has_teacher)

    @property
    def saliency_title(self) -> str:
        """Name of the maps in the details' ``saliency``, for pictures."""
        if self.saliency is not None:
            return self.saliency.title
        return 'Saliency' if self.teacher is None else self.teacher.saliency_title

    def load(self) -> None:
        """Read the files that mixing needs, before the first call would read them.

        Raises:
            FileNotFoundError: If one is missing.
            ValueError: If one doesn't fit.
        """
        if self.saliency is not None:
            self.saliency.load()
        if self.label_rule is not None:
            self.label_rule.load()

    def check_process(self) -> None:
        """Refuse a loader's worker to an augment that runs a network.

        Raises:
            RuntimeError: If this process is such a worker.
        """
        if self.needs_network and get_worker_info() is not None:
            raise RuntimeError(
                f'{type(self).__name__} needs a network, which has no place in the worker of a '
                'data loader; mix in the main process, after the batch has left the loader, or '
                'in a config by model.train_cfg.augments'
            )
