"""What the SuperMix solver minimises, and how far one step goes."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from mmtmix.checks import check_choice, check_flag, check_integer, check_number, check_numbers

from .mask_losses import forward_divergence, reverse_divergence, sparsity, total_variation
from .smooth import gaussian_smooth

METHODS = ('newton', 'newton_tv', 'sgd')
DIVERGENCES = ('forward', 'reverse')


# Arguments of the augment SuperMix in which the paper's solver and the default one differ
SUPERMIX_PAPER = dict(start='flat', lambda_s=25.0, max_iters=50)
SUPERMIX_FAST = dict(start='saliency', lambda_s=0.0, max_iters=12)


@dataclass(frozen=True)
class SuperMixSettings:
    """How masks are optimised; the defaults are those for CIFAR (section 4).

    Attributes:
        mask_size: Side w of the optimised masks in pixels, >= 1; 8 for CIFAR, 16 for ImageNet.
        sigma: Standard deviation of the smoothing in pixels of the mask, > 0; 2 for ImageNet.
        lambda_s: Weight of the sparsity loss, >= 0.
        max_iters: Largest number of steps per sample, >= 0.
        max_unfinished_ratio: Share of the batch, in [0, 1], that may be unfinished when it ends;
            0.1 for CIFAR, 0.5 for ImageNet.
        min_iters: Number of steps before a sample may finish, >= 0. 0 is the paper's Algorithm 1,
            which checks before it steps: about a third of the mixes of two images are then plain
            averages. 1 is its public code, which steps once before it checks.
        min_change: Least change of the masks in a step, >= 0, mean absolute difference over
            pixels. Ours: a sample whose masks change by less is given up, unfinished. Its masks
            are saturated, and nearly all such samples would take ``max_iters`` steps without
            success. The default is one grey level of 255. With 0 no sample is given up, as in the
            paper and its code, and none is with ``'sgd'``, whose steps are all small.
        step_range: Bounds of the Newton step's length, > 0.
        divergence: Kind of divergence: ``'forward'``, KL(y, f) with its entropy term, which sets
            the step's length; or ``'reverse'``, KL(f, y) with a smoothed y.
        smoothing: Probability spread over all classes of y in the reverse divergence, (0, 1].
        method: Name of the method: ``'newton'`` with smooth projection (Eq. 7), ``'newton_tv'``
            with the total variation in the loss in its place (Eq. 6), ``'sgd'`` on that loss
            (section 4.4).
        lambda_sigma: Weight of the total variation for the two rivals, >= 0.
        lr: Step of ``'sgd'``, > 0.
        chunk_size: Number of samples that go through the teacher at once, >= 1, which bounds the
            memory. By default all of them; on CPUs fewer, which is faster there.
        legacy_kernel: Whether to use the public code's Gaussian, see :func:`gaussian_kernel`.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If one is out of its range.
    """

    mask_size: int = 8
    sigma: float = 1.0
    lambda_s: float = 25.0
    max_iters: int = 50
    max_unfinished_ratio: float = 0.1
    min_iters: int = 0
    min_change: float = 0.004
    step_range: tuple[float, float] = (1e-4, 2000.0)
    divergence: str = 'forward'
    smoothing: float = 1e-3
    method: str = 'newton'
    lambda_sigma: float = 250.0
    lr: float = 0.1
    chunk_size: int | None = None
    legacy_kernel: bool = False

    def __post_init__(self) -> None:
        for name, choices in (('method', METHODS), ('divergence', DIVERGENCES)):
            check_choice(name, getattr(self, name), choices)
        check_integer('mask_size', self.mask_size, 1)
        check_integer('max_iters', self.max_iters, 0)
        cure = 'no sample could finish after max_iters'
        check_integer('min_iters', self.min_iters, 0, self.max_iters, cure=cure)
        if self.chunk_size is not None:
            check_integer('chunk_size', self.chunk_size, 1, cure='None takes all at once')
        for name in ('lambda_s', 'lambda_sigma', 'min_change'):
            check_number(name, getattr(self, name), 0)
        for name in ('sigma', 'lr'):
            check_number(name, getattr(self, name), above=0)
        check_number('smoothing', self.smoothing, most=1, above=0)
        check_number('max_unfinished_ratio', self.max_unfinished_ratio, 0, 1)
        check_numbers('step_range', self.step_range, 2, above=0, ordered=True)
        check_flag('legacy_kernel', self.legacy_kernel)

    @property
    def gives_up(self) -> bool:
        """Whether samples whose masks are stuck are given up."""
        return self.min_change > 0 and self.method != 'sgd'


def objective(
    logits: Tensor, masks: Tensor, classes: Tensor, weights: Tensor, settings: SuperMixSettings
) -> Tensor:
    """Return the objective that the masks of each sample minimise (Eq. 3).

    Args:
        logits: Logits of the teacher for the mixes, (N, num_classes).
        masks: Masks, (N, k, H, W).
        classes: Class of each image, int64 (N, k).
        weights: Share of each image, (N, k).
        settings: Settings with the losses and their weights.

    Returns:
        Objective, float32 (N,).
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
    """Return the step to subtract from the raw masks: Eq. 7, Eq. 6 or plain gradient descent.

    Args:
        losses: Loss of each sample, (N,).
        gradients: Gradient of each sample's loss, (N, k, w, w).
        kernel: Taps of the smoothing.
        settings: Settings with the method.

    Returns:
        Step, (N, k, w, w); NaN for a sample whose loss or gradient is not finite.
    """
    if settings.method == 'sgd':
        return settings.lr * gradients
    smooth = gaussian_smooth(gradients, kernel) if settings.method == 'newton' else gradients
    slopes = (smooth * gradients).sum(dim=(1, 2, 3)) + 1e-10  # of each sample by itself
    lengths = (losses / slopes).clamp(*settings.step_range)
    return lengths[:, None, None, None] * smooth
