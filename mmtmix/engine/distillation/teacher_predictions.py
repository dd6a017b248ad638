"""The teacher's predictions for validation images."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmpretrain.structures import DataSample
from torch import Tensor

from mmtmix.models.teachers import FrozenTeacher


class TeacherPredictions:
    """Adds the teacher's predicted class to a batch of the student's predictions.

    Validation repeats the same images, and the teacher doesn't change. So its classes are computed
    once for each batch and kept.

    Args:
        teacher: Teacher of the distillation.
        remembers: Whether batches repeat, which the numbers of their samples identify.
    """

    def __init__(self, teacher: FrozenTeacher, remembers: bool):
        self.teacher = teacher
        self.remembers = remembers
        self._labels: dict[tuple[int, ...], list[int]] = {}

    @torch.no_grad()
    def write(self, inputs: Tensor, predictions: Sequence[DataSample]) -> None:
        """Set ``teacher_label`` of the predictions for a batch, in place.

        Args:
            inputs: Images, (N, C, H, W).
            predictions: The student's N predictions.
        """
        numbers = tuple(sample.get('sample_idx') for sample in predictions)
        labels = self._labels.get(numbers)
        if labels is None:
            labels = self.teacher(inputs).argmax(dim=1).tolist()
            if self.remembers and None not in numbers:
                self._labels[numbers] = labels
        for sample, label in zip(predictions, labels, strict=True):
            sample.set_field(label, 'teacher_label')
