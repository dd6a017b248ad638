"""SuperMix's masks: a batched Newton solver and its two rivals (Dabouei et al. 2021)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from .gaussian import gaussian_kernel, gaussian_smooth
from .mask_losses import (
    forward_divergence,
    normalize_masks,
    reverse_divergence,
    sparsity,
    total_variation,
)
from .mixing import blend
from .quality import top_classes_match
from .supermix_settings import SuperMixSettings


@dataclass
class SuperMixSolution:
    """Masks, and how they were found.

    Attributes:
        masks: (N, k, 1, H, W), float32, summing to 1 over k.
        logits: The teacher's for each mix, (N, num_classes), float32.
        iterations: Steps that each sample took, int64 (N,).
        finished: Whether the top classes of the mix are those of its images, bool (N,).
    """

    masks: Tensor
    logits: Tensor
    iterations: Tensor
    finished: Tensor


def solve_masks(
    images: Tensor,
    classes: Tensor,
    weights: Tensor,
    teacher: Callable[[Tensor], Tensor],
    settings: SuperMixSettings | None = None,
) -> SuperMixSolution:
    """Optimise masks until the teacher's top classes of each mix are those of its images.

    Algorithm 1 for a whole batch. A step is one pass of the teacher over the samples that still
    run: the logits that tell which of them are finished are also the forward of the next
    gradient. Only the masks get gradients, whatever grad mode and autocast the caller is in.
    What a sample's masks look like after a number of steps doesn't depend on the others, but the
    end of the batch, by ``max_unfinished_ratio``, does.

    Args:
        images: (N, k, C, H, W).
        classes: The class that the mix should show of each image, int64 (N, k).
        weights: Share of each class in the target, (N, k), rows on the simplex.
        teacher: Maps images (n, C, H, W) to logits (n, num_classes); frozen, in eval mode.
        settings: See :class:`SuperMixSettings`.

    Returns:
        The masks, and how they were found. A sample that didn't finish keeps its last masks.
    """
    settings = settings or SuperMixSettings()
    size = (images.size(-2), images.size(-1))
    kernel = gaussian_kernel(settings.sigma, settings.legacy_kernel).to(images.device)
    with torch.inference_mode(False):  # whose tensors would be of no use for a gradient
        images, classes, weights = map(_trackable, (images, classes, weights))
        raw = torch.zeros(*weights.shape, *2 * (settings.mask_size,), device=images.device)
        batch = _Running(torch.arange(len(images), device=images.device), images, classes, weights)
        iterations = torch.zeros_like(batch.samples)
        finished = torch.zeros_like(batch.samples, dtype=torch.bool)
        given_up, before, final_logits = 0, None, torch.empty(0)
        for step in range(settings.max_iters + 1):
            variables = raw[batch.samples].requires_grad_()
            with torch.enable_grad():
                masks, mixed = _mix(batch.images, variables, size)
                logits = teacher(mixed)
            if step == 0:
                final_logits = torch.empty_like(logits, dtype=torch.float32)
            final_logits[batch.samples] = logits.detach().float()
            iterations[batch.samples] = step
            left = torch.arange(len(variables), device=images.device)
            if step >= settings.min_iters:
                done = top_classes_match(logits.detach(), batch.classes)
                finished[batch.samples] = done
                left = (~done).nonzero().squeeze(1)  # waits for the device
                if given_up + len(left) <= settings.max_unfinished_ratio * len(raw):
                    break
            if before is not None and step >= settings.min_iters:  # not before it may finish
                left, stuck = _split_stuck(left, masks.detach(), before, settings.min_change)
                given_up += stuck
            if step == settings.max_iters or not len(left):
                break
            update = _update(variables, masks, logits, batch, left, kernel, settings)
            if settings.gives_up:
                before = masks.detach()[left]
            batch = batch.take(left)
            raw[batch.samples] -= update
        with _full_precision(images):
            final_masks = normalize_masks(raw, size).unsqueeze(2)
    return SuperMixSolution(final_masks, final_logits, iterations, finished)


@dataclass
class _Running:
    """The samples that still run: their numbers in the batch, and what they are made of."""

    samples: Tensor
    images: Tensor
    classes: Tensor
    weights: Tensor

    def take(self, left: Tensor) -> _Running:
        if len(left) == len(self.samples):
            return self
        return _Running(
            self.samples[left], self.images[left], self.classes[left], self.weights[left]
        )


def _mix(images: Tensor, raw: Tensor, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Masks (n, k, H, W) in float32, and the mixes (n, C, H, W) in the images' dtype."""
    with _full_precision(images):
        masks = normalize_masks(raw, size)
        return masks, blend(images, masks.unsqueeze(2)).to(images.dtype)


def _split_stuck(
    left: Tensor, masks: Tensor, before: Tensor, min_change: float
) -> tuple[Tensor, int]:
    """Those of ``left`` whose masks moved in the last step, and the number of the others."""
    moved = (masks - before).abs().mean(dim=(1, 2, 3))[left] >= min_change
    moving = left[moved]
    return moving, len(left) - len(moving)


def _update(
    raw: Tensor,
    masks: Tensor,
    logits: Tensor,
    batch: _Running,
    left: Tensor,
    kernel: Tensor,
    settings: SuperMixSettings,
) -> Tensor:
    """What to subtract from the raw masks of the samples that are left."""
    with _full_precision(raw):
        with torch.enable_grad():
            losses = objective(logits, masks, batch.classes, batch.weights, settings)[left]
            (gradients,) = torch.autograd.grad(losses.sum(), raw)
        return newton_step(losses.detach(), gradients[left], kernel, settings)


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
        (N, k, w, w), finite: 0 for a sample whose teacher overflowed.
    """
    if settings.method == 'sgd':
        return settings.lr * gradients.nan_to_num(0.0, 0.0, 0.0)
    smooth = gaussian_smooth(gradients, kernel) if settings.method == 'newton' else gradients
    slopes = (smooth * gradients).sum(dim=(1, 2, 3)) + 1e-10  # of each sample by itself
    lengths = (losses / slopes).clamp(*settings.step_range)
    return (lengths[:, None, None, None] * smooth).nan_to_num(0.0, 0.0, 0.0)


def _full_precision(like: Tensor) -> torch.autocast:
    return torch.autocast(like.device.type, enabled=False)


def _trackable(tensor: Tensor) -> Tensor:
    return tensor.clone() if tensor.is_inference() else tensor
