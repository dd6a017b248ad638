"""The losses of a distilled student."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmpretrain.structures import DataSample
from torch import Tensor

from mmtmix.models.classifiers.labels import read_scores
from mmtmix.models.losses import DistillLoss, NetworkOutputs
from mmtmix.models.measures import count_hits, is_measured_in_full
from mmtmix.models.mix_watch import MadeMix, is_watched, report_mix
from mmtmix.models.teachers import FrozenTeacher

from .heads import check_class_counts
from .mixes import MixedBatch, Mixes
from .student import Student

MIXED_CLS = ('hard_teacher', 'mixed')
OLD_MIXED_CLS = {'teacher': 'hard_teacher', 'target': 'mixed'}
KD_ON = ('clean', 'mixed', 'both')


class DistillObjective:
    """Adds a teacher's terms to the losses of a step.

    The teacher takes the same tensors as the student, each image once. ``TransformMix`` and
    ``SuperMix`` return the teacher's logits among their details, and the maps of ``TeacherCAM``,
    such as those of ``AttentiveMix``, come with logits. Those are used, unless a loss needs
    features. Clean and mixed images
    pass through the student separately, so that batch norm treats them separately (SuperMix, Eq.
    8, 9).

    Args:
        student: Student, attached.
        teacher: Teacher of the same classes.
        losses: Terms that compare the two.
        mixes: Source of mixed images, or None.
        cls_weight: Factor of the losses of the student's head, on clean and on mixed images.
        mixed_cls: Labels of mixed images: ``'hard_teacher'`` for the class that the teacher
            predicts, ``'mixed'`` for their mixed labels.
        kd_on: Images on which the terms compare: ``'clean'``, ``'mixed'`` or ``'both'``. Terms
            that need an image's number always compare on clean images.
    """

    def __init__(
        self,
        student: Student,
        teacher: FrozenTeacher,
        losses: Sequence[DistillLoss],
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
        """Return the losses of a step.

        Args:
            inputs: Clean batch (N, C, H, W), as the student got it.
            data_samples: N samples with its labels.
            losses: Losses of the student. ``loss`` is renamed to ``loss_cls``, since ``loss`` in
                the log is the sum of all.
            seed: Seed of the step, the same on all ranks.

        Returns:
            All terms by name.
        """
        clean = self.student.take()
        self._check_widths(clean.logits, inputs)
        own = self.student.weigh(losses, self.cls_weight)
        terms = {'loss_cls' if name == 'loss' else name: value for name, value in own.items()}
        mixed = None
        if self.mixes is not None:
            needs_targets = self.mixed_cls == 'mixed'
            mixed = self.mixes.draw(inputs, data_samples, self.teacher, needs_targets)
        clean_logits = None if mixed is None else mixed.clean_logits
        if self._on_clean:
            theirs = self._teacher_outputs(inputs, self._on_clean, clean_logits)
            clean_logits = theirs.logits
            index = _numbers(data_samples, inputs.device, self._on_clean)
            for loss in self._on_clean:
                terms[f'loss_{loss.name}'] = loss(clean, theirs, index, seed)
        if self.teacher.report.is_open or (is_measured_in_full() and clean_logits is not None):
            self._report(inputs, data_samples, clean_logits)
        if mixed is not None:
            terms |= self._mixed_terms(mixed, seed)
        return terms

    def _check_widths(self, logits: Tensor, inputs: Tensor) -> None:
        """Compare the widths of both networks' first logits, which some configs don't give."""
        if not self._is_checked:
            check_class_counts(logits.size(1), self.teacher.count_classes(inputs))
            self._is_checked = True

    def _mixed_terms(self, mixed: MixedBatch, seed: int) -> dict[str, Tensor]:
        outputs = self.student.classify(mixed.inputs)
        logits = outputs.logits
        terms: dict[str, Tensor] = {}
        targets = mixed.targets
        if self._on_mixed or self.mixed_cls == 'hard_teacher':
            theirs = self._teacher_outputs(mixed.inputs, self._on_mixed, mixed.logits)
            if self.mixed_cls == 'hard_teacher':
                winners = theirs.logits.argmax(dim=1)
                targets = F.one_hot(winners, logits.size(1)).to(logits.dtype)
            no_index = torch.empty(0, dtype=torch.long)
            for loss in self._on_mixed:
                terms[f'loss_{loss.name}_mixed'] = loss(outputs, theirs, no_index, seed)
            if mixed.targets is not None and mixed.logits is None:
                count_hits('teacher_mixed_acc', theirs.logits, mixed.targets)
        if targets is None:
            raise RuntimeError(f'{type(self.mixes).__name__} drew mixes without their labels')
        if is_watched():
            note = 'by the teacher' if self.mixed_cls == 'hard_teacher' else ''
            report_mix(MadeMix(type(self.mixes).__name__, mixed.inputs, targets, note=note))
        own = self.student.loss(logits, targets)
        return {'loss_mixed': self.cls_weight * own, **terms}

    @torch.no_grad()
    def _report(
        self, inputs: Tensor, data_samples: Sequence[DataSample], logits: Tensor | None
    ) -> None:
        """Report the teacher's accuracy on the clean images; without logits it runs once more."""
        # of several views of each image the first ones come first
        count, is_last = len(data_samples), logits is None
        logits = self.teacher(inputs[:count]) if logits is None else logits[:count]
        self.teacher.report(logits, read_scores(data_samples, logits.size(1)), is_last)

    @torch.no_grad()
    def _teacher_outputs(
        self, inputs: Tensor, losses: Sequence[DistillLoss], logits: Tensor | None
    ) -> NetworkOutputs:
        """Return the teacher's outputs, by a new pass unless its logits are enough."""
        if any(loss.needs_features for loss in losses):
            return NetworkOutputs(*self.teacher.features(inputs))
        return NetworkOutputs(self.teacher(inputs) if logits is None else logits)


def _numbers(
    data_samples: Sequence[DataSample], device: torch.device, losses: Sequence[DistillLoss]
) -> Tensor:
    """Return the samples' numbers in the training set, where a loss needs them."""
    if not any(loss.needs_index for loss in losses):
        return torch.empty(0, dtype=torch.long)
    numbers = [sample.get('sample_idx') for sample in data_samples]
    if None in numbers:
        raise ValueError(
            'the data samples have no sample_idx, which identifies images; keep it among the '
            'meta_keys of PackInputs'
        )
    return torch.tensor(numbers).to(device, non_blocking=True)
