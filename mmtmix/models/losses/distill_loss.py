"""What a distillation hook asks of its losses."""

from __future__ import annotations

from abc import ABCMeta, abstractmethod
from dataclasses import dataclass

from torch import Tensor, nn

from mmtmix.checks import check_number


@dataclass
class NetworkOutputs:
    """What a network says of a batch.

    Attributes:
        logits: (N, num_classes).
        features: What its last linear layer sees, (N, D); None where no loss asks for it.
    """

    logits: Tensor
    features: Tensor | None = None


class DistillLoss(nn.Module, metaclass=ABCMeta):
    """A term that compares a student with its teacher.

    A loss may have parameters, which are trained with the student's optimizer, and buffers; both
    go into checkpoints that can be resumed and into no exported model. Between ranks it shares
    its gradients itself, as ``CRDLoss`` does.

    Args:
        loss_weight: Factor of the loss, >= 0.

    Attributes:
        name: The loss appears as ``loss_<name>`` in the log.
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
        """Make what depends on the networks and the data set, before training.

        Args:
            student_dim: D of the student's features; 0 if unknown.
            teacher_dim: D of the teacher's; 0 if unknown.
            labels: Of all training samples, int64 (num_samples,); empty where no loss
                ``needs_index``.
            seed: For initial values.
        """

    @abstractmethod
    def forward(
        self,
        student: NetworkOutputs,
        teacher: NetworkOutputs,
        index: Tensor,
        seed: int,
    ) -> Tensor:
        """Compare.

        Args:
            student: With gradients.
            teacher: Without.
            index: Number of each sample in the training set, int64 (N,); empty if mixed.
            seed: For what is drawn: of the run and iteration, the same on all ranks.

        Returns:
            The weighted loss, a scalar.
        """

    def after_step(self) -> None:
        """Take note of a step that was made, the same on all ranks."""
