"""What a distilled student minimises."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmpretrain.structures import DataSample
from torch import Tensor, nn

from mmtmix.models.classifiers.labels import read_scores
from mmtmix.models.losses import DistillLoss, NetworkOutputs
from mmtmix.models.teachers import FrozenTeacher

from .heads import check_class_counts
from .mixes import MixedBatch, Mixes
from .student import Student

MIXED_CLS = ('teacher', 'target')
KD_ON = ('clean', 'mixed', 'both')


class DistillObjective:
    """Add a teacher's terms to the losses of a step.

    The teacher sees the student's very tensors, each image once. What ``TransformMix`` and
    ``SuperMix`` have asked it before is in their details and not asked again, but where a loss
    wants its features; a mixer that asks it for saliency alone, as ``AttentiveMix``, doesn't tell
    what it said. Clean and mixed images go through the student separately, so that batch norm
    sees them separately (SuperMix, Eq. 8, 9).

    Args:
        student: Attached.
        teacher: Of the same classes.
        losses: The terms.
        mixes: Where mixed images come from, or None.
        cls_weight: Of the losses of the student's head, on clean and on mixed images.
        mixed_cls: Classify mixed images as the ``'teacher'``'s winner, or by their mixed
            ``'target'``.
        kd_on: On which images the terms compare: ``'clean'``, ``'mixed'`` or ``'both'``. Those
            that need an image's number always compare on clean ones.
    """

    def __init__(
        self,
        student: Student,
        teacher: FrozenTeacher,
        losses: nn.ModuleList,
        mixes: Mixes | None,
        cls_weight: float,
        mixed_cls: str,
        kd_on: str,
    ):
        self.student, self.teacher, self.mixes = student, teacher, mixes
        self.cls_weight, self.mixed_cls = cls_weight, mixed_cls
        self._is_checked = False
        self._on_clean = [loss for loss in losses if loss.needs_index or kd_on != 'mixed']
        self._on_mixed = [loss for loss in losses if not loss.needs_index and kd_on != 'clean']

    def __call__(
        self,
        inputs: Tensor,
        data_samples: Sequence[DataSample],
        losses: dict[str, Tensor],
        seed: int,
    ) -> dict[str, Tensor]:
        """Make the losses of a step.

        Args:
            inputs: The clean batch as the student took it, (N, C, H, W).
            data_samples: Its labels.
            losses: The student's own. ``loss`` becomes ``loss_cls``: in the log ``loss`` is the
                sum of all.
            seed: Of the step, the same on all ranks.

        Returns:
            All terms, each under a name of its own.
        """
        clean = self.student.take()
        self._check_widths(clean.logits, inputs)
        own = self.student.weigh(losses, self.cls_weight)
        terms = {'loss_cls' if name == 'loss' else name: value for name, value in own.items()}
        mixed = None
        if self.mixes is not None:
            needs_targets = self.mixed_cls == 'target'
            mixed = self.mixes.draw(inputs, data_samples, self.teacher, needs_targets)
        known = None if mixed is None else mixed.clean_logits
        if self._on_clean:
            answer = self._ask(inputs, self._on_clean, known)
            known = answer.logits
            index = _numbers(data_samples, inputs.device, self._on_clean)
            for loss in self._on_clean:
                terms[f'loss_{loss.name}'] = loss(clean, answer, index, seed)
        if self.teacher.report.is_open:
            self._report(inputs, data_samples, known)
        if mixed is not None:
            terms |= self._mixed_terms(mixed, seed)
        return terms

    def _check_widths(self, logits: Tensor, inputs: Tensor) -> None:
        """Compare the widths of both networks' logits, which some configs don't give, at first."""
        if not self._is_checked:
            check_class_counts(logits.size(1), self.teacher.count_classes(inputs))
            self._is_checked = True

    def _mixed_terms(self, mixed: MixedBatch, seed: int) -> dict[str, Tensor]:
        outputs = self.student.classify(mixed.inputs)
        logits = outputs.logits
        terms, targets = {}, mixed.targets
        if self._on_mixed or self.mixed_cls == 'teacher':
            answer = self._ask(mixed.inputs, self._on_mixed, mixed.logits)
            if self.mixed_cls == 'teacher':
                winners = answer.logits.argmax(dim=1)
                targets = F.one_hot(winners, logits.size(1)).to(logits.dtype)
            nobody = torch.empty(0, dtype=torch.long)
            for loss in self._on_mixed:
                terms[f'loss_{loss.name}_mixed'] = loss(outputs, answer, nobody, seed)
        loss = self.student.loss(logits, targets)
        return {'loss_mixed': self.cls_weight * loss, **terms}

    @torch.no_grad()
    def _report(
        self, inputs: Tensor, data_samples: Sequence[DataSample], known: Tensor | None
    ) -> None:
        """Count which clean images the teacher gets right, from one pass of its own if need be."""
        # of several views of each image the first ones come first
        count, is_last = len(data_samples), known is None
        logits = self.teacher(inputs[:count]) if known is None else known[:count]
        self.teacher.report(logits, read_scores(data_samples, logits.size(1)), is_last)

    @torch.no_grad()
    def _ask(
        self, inputs: Tensor, losses: Sequence[DistillLoss], known: Tensor | None
    ) -> NetworkOutputs:
        """The teacher's answer, from a pass of its own only where none was made."""
        if any(loss.needs_features for loss in losses):
            return NetworkOutputs(*self.teacher.features(inputs))
        return NetworkOutputs(self.teacher(inputs) if known is None else known)


def _numbers(
    data_samples: Sequence[DataSample], device: torch.device, losses: Sequence[DistillLoss]
) -> Tensor:
    """The samples' numbers in the training set, where a loss asks for them."""
    if not any(loss.needs_index for loss in losses):
        return torch.empty(0, dtype=torch.long)
    numbers = [sample.get('sample_idx') for sample in data_samples]
    if None in numbers:
        raise ValueError(
            'the data samples have no sample_idx, which tells images apart; keep it among the '
            'meta_keys of PackInputs'
        )
    return torch.tensor(numbers).to(device, non_blocking=True)
