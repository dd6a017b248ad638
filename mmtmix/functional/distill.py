"""Distillation on logits."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from mmtmix.checks import check_number


def kd_divergence(student: Tensor, teacher: Tensor, temperature: float = 4.0) -> Tensor:
    """Distillation of Hinton et al. 2015: ``T^2 KL(teacher, student)`` of softened predictions.

    Its gradient with respect to the student's logits is ``T (softmax_s - softmax_t) / N``.

    Args:
        student: Logits, (N, num_classes).
        teacher: Logits, (N, num_classes); gets no gradient.
        temperature: T > 0.

    Returns:
        The mean over the batch, a scalar in float32, >= 0.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range.
    """
    check_number('temperature', temperature, above=0)
    student = F.log_softmax(student.float() / temperature, dim=1)
    teacher = F.log_softmax(teacher.detach().float() / temperature, dim=1)
    divergence = F.kl_div(student, teacher, reduction='batchmean', log_target=True)
    return divergence * temperature**2
