"""SuperMix's masks and the losses on them (Dabouei et al. 2021, section 3.2)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from mmtmix.checks import check_number, check_numbers


def normalize_masks(raw: Tensor, size: tuple[int, int]) -> Tensor:
    """Upsample raw masks, squash them and divide by their sum (Eq. 4).

    Args:
        raw: Raw masks, unbounded, (N, k, w, w).
        size: Height H and width W of the masks in pixels.

    Returns:
        Masks in [0, 1], (N, k, H, W), summing to 1 over k, whatever the size of the raw values.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range.
    """
    check_numbers('size', size, 2, 1, whole=True)
    upsampled = F.interpolate(raw, size=size, mode='bilinear', align_corners=False)
    # s_i / sum_j s_j by way of the logarithms: all k sigmoids may underflow to 0
    return torch.softmax(F.logsigmoid(upsampled), dim=1)


def sparsity(masks: Tensor) -> Tensor:
    """Return the mean of m (1 - m) over masks and pixels (Eq. 5 with its sign corrected).

    Args:
        masks: Masks in [0, 1], (N, k, H, W).

    Returns:
        Loss, (N,), 0 where every pixel belongs to one image.
    """
    return (masks * (1 - masks)).mean(dim=(1, 2, 3))


def total_variation(masks: Tensor, order: float = 3.0, eps: float = 1e-6) -> Tensor:
    """Return the p-norm of the gradient, averaged over masks and pixels (section 4.4).

    Args:
        masks: Masks, (N, k, H, W).
        order: Order p of the norm, > 0; 3 in the paper.
        eps: Least size of a gradient's component, > 0. The norm has no derivative at 0, where
            every solver starts with constant masks.

    Returns:
        Loss, (N,), about ``eps`` at constant masks.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range.
    """
    check_number('order', order, above=0)
    check_number('eps', eps, above=0)
    down = F.pad(masks[..., 1:, :] - masks[..., :-1, :], (0, 0, 0, 1))
    right = F.pad(masks[..., 1:] - masks[..., :-1], (0, 1))
    powers = down.abs().clamp(min=eps) ** order + right.abs().clamp(min=eps) ** order
    return (powers ** (1 / order)).mean(dim=(1, 2, 3))


def forward_divergence(logits: Tensor, targets: Tensor) -> Tensor:
    """Return KL(y, f) of each sample, with the entropy of y, so that it is 0 where f = y.

    Args:
        logits: Logits of the teacher, (N, num_classes).
        targets: Targets y, rows on the simplex, (N, num_classes).

    Returns:
        Divergence, (N,), in nats.
    """
    log_probs = F.log_softmax(logits.float(), dim=1)
    return (torch.xlogy(targets, targets) - targets * log_probs).sum(dim=1)


def reverse_divergence(logits: Tensor, targets: Tensor, smoothing: float) -> Tensor:
    """Return KL(f, y) of each sample, as Eq. 3 prints it, with a smoothed y to be finite.

    Args:
        logits: Logits of the teacher, (N, num_classes).
        targets: Targets y, rows on the simplex, (N, num_classes).
        smoothing: Probability that is spread over all classes of y, in (0, 1].

    Returns:
        Divergence, (N,), in nats.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range.
    """
    check_number('smoothing', smoothing, most=1, above=0)
    log_probs = F.log_softmax(logits.float(), dim=1)
    smoothed = (1 - smoothing) * targets + smoothing / targets.size(1)
    return (log_probs.exp() * (log_probs - smoothed.log())).sum(dim=1)
