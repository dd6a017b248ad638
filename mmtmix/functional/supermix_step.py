"""One step of the SuperMix solver: what it minimises, and how far it goes."""

from __future__ import annotations

import torch
from torch import Tensor

from .gaussian import gaussian_smooth
from .mask_losses import forward_divergence, reverse_divergence, sparsity, total_variation
from .supermix_settings import SuperMixSettings


def objective(
    logits: Tensor, masks: Tensor, classes: Tensor, weights: Tensor, settings: SuperMixSettings
) -> Tensor:
    """What the masks minimise, for each sample (Eq. 3).

    Args:
        logits: The teacher's for the mixes, (N, num_classes).
        masks: (N, k, H, W).
        classes: int64 (N, k).
        weights: (N, k).
        settings: The losses and their weights.

    Returns:
        (N,), float32.
    """
    targets = torch.zeros_like(logits, dtype=torch.float32)
    targets = targets.scatter_add(1, classes, weights.float())
    if settings.divergence == 'forward':
        divergence = forward_divergence(logits, targets)
    else:
        divergence = reverse_divergence(logits, targets, settings.smoothing)
    losses = divergence + settings.lambda_s * sparsity(masks)
    if settings.method != 'newton':
        losses = losses + settings.lambda_sigma * total_variation(masks)
    return losses


def newton_step(
    losses: Tensor, gradients: Tensor, kernel: Tensor, settings: SuperMixSettings
) -> Tensor:
    """What to subtract from the raw masks: Eq. 7, Eq. 6 or plain gradient descent.

    Args:
        losses: (N,).
        gradients: Of each sample's loss, (N, k, w, w).
        kernel: Taps of the smoothing.
        settings: The method and its settings.

    Returns:
        (N, k, w, w); NaN for a sample whose loss or gradient is not finite.
    """
    if settings.method == 'sgd':
        return settings.lr * gradients
    smooth = gaussian_smooth(gradients, kernel) if settings.method == 'newton' else gradients
    slopes = (smooth * gradients).sum(dim=(1, 2, 3)) + 1e-10  # of each sample by itself
    lengths = (losses / slopes).clamp(*settings.step_range)
    return lengths[:, None, None, None] * smooth
