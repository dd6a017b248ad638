"""Adversarial images within a small distance of clean ones."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from mmtmix.checks import check_integer, check_number

Logits = Callable[[Tensor], Tensor]


def fgsm(
    logits: Logits, images: Tensor, labels: Tensor, eps: float, low: float, high: float
) -> Tensor:
    """Return images one step of size ``eps`` up the loss (Goodfellow et al., 2015, section 4).

    The step follows the sign of the gradient of the cross entropy with the true class. Nothing
    is random.

    Args:
        logits: Function that returns logits (N, num_classes) for images.
        images: Clean images, (N, C, H, W).
        labels: True classes, int64 (N,).
        eps: Largest change of a value, >= 0, in the units of ``images``.
        low: Smallest value of a valid image.
        high: Largest value of a valid image.

    Returns:
        Images (N, C, H, W) within ``eps`` and in [low, high].

    Raises:
        ValueError: If ``eps`` is negative.
    """
    check_number('eps', eps, 0)
    return _clip(images + eps * _loss_sign(logits, images, labels), images, eps, low, high)


def pgd(
    logits: Logits,
    images: Tensor,
    labels: Tensor,
    eps: float,
    low: float,
    high: float,
    start: Tensor,
    steps: int = 10,
    step_size: float | None = None,
) -> Tensor:
    """Return images after several projected steps up the loss (Madry et al., 2018, section 2.1).

    Args:
        logits: Function that returns logits (N, num_classes) for images.
        images: Clean images, (N, C, H, W).
        labels: True classes, int64 (N,).
        eps: Largest change of a value, >= 0, in the units of ``images``.
        low: Smallest value of a valid image.
        high: Largest value of a valid image.
        start: Place of the start in the ball, in [-1, 1], (N, C, H, W); it is scaled by ``eps``.
        steps: Number of steps, >= 1.
        step_size: Size of a step, > 0; a quarter of ``eps`` by default, as 2 of 8 in the paper.

    Returns:
        Images (N, C, H, W) within ``eps`` and in [low, high].

    Raises:
        ValueError: If a number is out of its range.
    """
    check_number('eps', eps, 0)
    check_integer('steps', steps, 1)
    step = eps / 4 if step_size is None else step_size
    if step_size is not None:
        check_number('step_size', step_size, above=0)
    found = _clip(images + eps * start, images, eps, low, high)
    for _ in range(steps):
        ahead = found + step * _loss_sign(logits, found, labels)
        found = _clip(ahead, images, eps, low, high)
    return found


def _loss_sign(logits: Logits, images: Tensor, labels: Tensor) -> Tensor:
    """Return the sign of each image's gradient; nothing is added to gradients of parameters."""
    with torch.enable_grad():
        given = images.detach().requires_grad_()
        loss = F.cross_entropy(logits(given).float(), labels, reduction='sum')
        (gradient,) = torch.autograd.grad(loss, given)
    return gradient.sign()


def _clip(found: Tensor, images: Tensor, eps: float, low: float, high: float) -> Tensor:
    return found.clamp(images - eps, images + eps).clamp(low, high)
