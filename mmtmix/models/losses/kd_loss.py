"""Hinton's distillation."""

from __future__ import annotations

from mmpretrain.registry import MODELS
from torch import Tensor

from mmtmix.checks import check_number
from mmtmix.functional import kd_divergence

from .distill_loss import DistillLoss, NetworkOutputs


@MODELS.register_module()
class KDLoss(DistillLoss):
    """``T^2 KL(teacher, student)`` of predictions softened by a temperature.

    `Distilling the Knowledge in a Neural Network <https://arxiv.org/abs/1503.02531>`_; see
    :func:`~mmtmix.functional.kd_divergence`.

    Args:
        temperature: Temperature T, > 0.
        loss_weight: Factor of the loss, >= 0.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range.
    """

    name = 'kd'

    def __init__(self, temperature: float = 4.0, loss_weight: float = 1.0):
        super().__init__(loss_weight)
        check_number('temperature', temperature, above=0)
        self.temperature = temperature

    def forward(
        self,
        student: NetworkOutputs,
        teacher: NetworkOutputs,
        index: Tensor,
        seed: int,
    ) -> Tensor:
        """See :meth:`DistillLoss.forward`."""
        return self.loss_weight * kd_divergence(student.logits, teacher.logits, self.temperature)
