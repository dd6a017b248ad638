"""The teacher's classes of validation images."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmpretrain.structures import DataSample
from torch import Tensor

from mmtmix.models.teachers import FrozenTeacher


class TeacherAnswers:
    """Put the teacher's class beside the student's in a batch of predictions.

    Validation shows the same images again and again, and the teacher doesn't change: it is asked
    once for each batch that comes again.

    Args:
        teacher: Of the distillation.
        remembers: Whether batches come again, told apart by the numbers of their samples.
    """

    def __init__(self, teacher: FrozenTeacher, remembers: bool):
        self.teacher = teacher
        self.remembers = remembers
        self._known: dict[tuple[int, ...], list[int]] = {}

    @torch.no_grad()
    def write(self, inputs: Tensor, predictions: Sequence[DataSample]) -> None:
        """Set ``teacher_label`` of the predictions for a batch (N, C, H, W), in place."""
        numbers = tuple(sample.get('sample_idx') for sample in predictions)
        labels = self._known.get(numbers)
        if labels is None:
            labels = self.teacher(inputs).argmax(dim=1).tolist()
            if self.remembers and None not in numbers:
                self._known[numbers] = labels
        for sample, label in zip(predictions, labels, strict=True):
            sample.set_field(label, 'teacher_label')
