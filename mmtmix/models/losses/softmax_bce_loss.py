"""The loss of PuzzleMix's public code."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from mmpretrain.registry import MODELS
from torch import Tensor, nn

from mmtmix.checks import check_number


@MODELS.register_module()
class SoftmaxBCELoss(nn.Module):
    """Binary cross entropy of softmax probabilities, a mean over images and classes.

    PuzzleMix trains with it, so figures that follow its recipe may depend on it. The mean over
    classes makes gradients smaller than those of cross entropy: at first by the number of classes,
    and by half of it once the class is found. In a config:
    ``model=dict(head=dict(loss=dict(type='SoftmaxBCELoss')))``.

    Args:
        loss_weight: Factor of the loss, >= 0.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If ``loss_weight`` is negative.
    """

    def __init__(self, loss_weight: float = 1.0):
        super().__init__()
        check_number('loss_weight', loss_weight, 0)
        self.loss_weight = loss_weight

    @staticmethod
    def clean_factor(num_classes: int) -> float:
        """Return the factor of a cross entropy on clean images beside this loss on mixed ones.

        PuzzleMix's and Co-Mixup's public code: ``2 * clean_lam / num_classes``, clean_lam apart.

        Args:
            num_classes: Number of classes, >= 1.

        Returns:
            2 / num_classes.
        """
        return 2 / num_classes

    def forward(self, cls_score: Tensor, label: Tensor, avg_factor: int | None = None) -> Tensor:
        """Compute the loss in float32, also under autocast.

        Args:
            cls_score: Logits, (N, num_classes).
            label: Classes, int64 (N,), or soft labels (N, num_classes).
            avg_factor: Divisor of the sum over images; N by default.

        Returns:
            A scalar.
        """
        if label.dim() == 1:
            label = F.one_hot(label, cls_score.size(1))
        with torch.autocast(cls_score.device.type, enabled=False):
            probs = cls_score.float().softmax(dim=1)
            losses = F.binary_cross_entropy(probs, label.float(), reduction='none').mean(dim=1)
        return self.loss_weight * losses.sum() / (avg_factor or len(losses))
