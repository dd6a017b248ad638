"""A comparison of a student with its teacher, over a validation set."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from mmengine.evaluator import BaseMetric
from mmpretrain.registry import METRICS


@METRICS.register_module()
class TeacherAgreement(BaseMetric):
    """Measure the accuracies of a student and its teacher, and how often they agree, in percent.

    ``distill/student`` and ``distill/teacher`` are top-1 accuracies. ``distill/agreement`` is the
    share of images for which both predict the same class, right or wrong. ``DistillHook`` adds
    this metric and the ``teacher_label`` that it reads.
    """

    default_prefix = 'distill'

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Store the labels of a batch."""
        for sample in data_samples:
            labels = [sample[name] for name in ('gt_label', 'pred_label', 'teacher_label')]
            self.results.append([int(label) for label in labels])

    def compute_metrics(self, results: list[list[int]]) -> dict[str, float]:
        """Compare the labels of all samples."""
        truth, student, teacher = np.asarray(results).T
        return dict(
            student=100 * float(np.mean(student == truth)),
            teacher=100 * float(np.mean(teacher == truth)),
            agreement=100 * float(np.mean(student == teacher)),
        )
