"""The base of the losses of a distillation."""

from __future__ import annotations

from abc import ABCMeta, abstractmethod
from dataclasses import dataclass

from torch import Tensor, nn

from mmtmix.checks import check_number


@dataclass
class NetworkOutputs:
    """Outputs of a network for a batch.

    Attributes:
        logits: Logits, (N, num_classes).
        features: Inputs of the last linear layer, (N, D); None where no loss needs them.
    """

    logits: Tensor
    features: Tensor | None = None


class DistillLoss(nn.Module, metaclass=ABCMeta):
    """A term that compares a student with its teacher.

    A loss may have parameters, which the student's optimizer trains, and buffers. Both are in
    checkpoints that can be resumed and in no exported model. A loss shares its gradients among
    ranks itself, as ``CRDLoss`` does.

    Args:
        loss_weight: Factor of the loss, >= 0.

    Attributes:
        name: Name of the loss, ``loss_<name>`` in the log.
        needs_features: Whether it reads ``features``.
        needs_index: Whether it reads ``index``, so that it can't compare on mixed images.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If ``loss_weight`` is negative.
    """

    name: str
    needs_features = False
    needs_index = False

    def __init__(self, loss_weight: float = 1.0):
        super().__init__()
        check_number('loss_weight', loss_weight, 0)
        self.loss_weight = loss_weight

    def prepare(self, student_dim: int, teacher_dim: int, labels: Tensor, seed: int) -> None:
        """Make parts that depend on the networks and the data set, before training.

        Args:
            student_dim: Number of the student's features; 0 if unknown.
            teacher_dim: Number of the teacher's features; 0 if unknown.
            labels: Labels of all training samples, int64 (num_samples,); empty where no loss
                ``needs_index``.
            seed: Seed of initial values.
        """

    @abstractmethod
    def forward(
        self,
        student: NetworkOutputs,
        teacher: NetworkOutputs,
        index: Tensor,
        seed: int,
    ) -> Tensor:
        """Compare the outputs of both networks.

        Args:
            student: Outputs of the student, with gradients.
            teacher: Outputs of the teacher, without gradients.
            index: Number of each sample in the training set, int64 (N,); empty if mixed.
            seed: Seed of random draws, of the run and iteration, the same on all ranks.

        Returns:
            The weighted loss, a scalar.
        """

    def after_step(self) -> None:
        """Update the state after an optimizer step, the same on all ranks."""
