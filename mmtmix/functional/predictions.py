"""Losses between predictions, and whether they name the mixed classes."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from mmtmix.checks import check_number


def soft_cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the cross entropy of each sample with a soft target, computed in float32.

    Args:
        logits: Logits, (N, num_classes).
        targets: Soft labels, (N, num_classes).

    Returns:
        Cross entropy, (N,), in nats.
    """
    return -(targets.float() * F.log_softmax(logits.float(), dim=1)).sum(dim=1)


def top_classes_match(logits: Tensor, classes: Tensor) -> Tensor:
    """Return whether the top-k classes of the logits are exactly the mixed classes.

    As many top classes are compared as there are different mixed classes, which may be fewer than
    k. Logits that aren't finite match nothing.

    Args:
        logits: Logits of the mixes, (N, num_classes).
        classes: Classes of the mixed images, int64 (N, k).

    Returns:
        Whether they match, bool (N,).
    """
    mixed = torch.zeros_like(logits, dtype=torch.bool).scatter_(1, classes, True)
    num_unique = mixed.sum(dim=1)
    ranked = logits.topk(min(classes.size(1), logits.size(1)), dim=1).indices
    is_mixed = mixed.gather(1, ranked)
    counts = torch.arange(ranked.size(1), device=logits.device) < num_unique[:, None]
    return (is_mixed | ~counts).all(dim=1) & logits.isfinite().all(dim=1)


def kd_divergence(student: Tensor, teacher: Tensor, temperature: float = 4.0) -> Tensor:
    """Return Hinton et al.'s (2015) ``T^2 KL(teacher, student)`` of softened predictions.

    Its gradient with respect to the student's logits is ``T (softmax_s - softmax_t) / N``.

    Args:
        student: Logits of the student, (N, num_classes).
        teacher: Logits of the teacher, (N, num_classes), which get no gradient.
        temperature: Temperature T, > 0.

    Returns:
        Mean over the batch, a scalar in float32, >= 0.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range.
    """
    check_number('temperature', temperature, above=0)
    student = F.log_softmax(student.float() / temperature, dim=1)
    teacher = F.log_softmax(teacher.detach().float() / temperature, dim=1)
    divergence = F.kl_div(student, teacher, reduction='batchmean', log_target=True)
    return divergence * temperature**2


def jensen_shannon(logits: Sequence[Tensor]) -> Tensor:
    """Return the Jensen-Shannon divergence of V predictions, ``mean_v KL(p_v, M)`` (AugMix).

    M is the mean of the predictions. Its logarithm comes from theirs, so that unlike in the
    authors' code nothing has to be clamped where all predictions underflow.

    Args:
        logits: Logits of each of V >= 2 views, (N, num_classes).

    Returns:
        Divergence in nats, float32 (N,), between 0 and log V.

    Raises:
        ValueError: If there are fewer than two views or their shapes differ.
    """
    shapes = [tuple(view.shape) for view in logits]
    if len(shapes) < 2 or len(set(shapes)) > 1:
        raise ValueError(
            f'logits must be of two or more views, all of one shape (N, num_classes), got {shapes}'
        )
    views = F.log_softmax(torch.stack([view.float() for view in logits]), dim=2)
    mixture = torch.logsumexp(views, dim=0) - math.log(len(shapes))
    return (views.exp() * (views - mixture)).sum(dim=2).mean(dim=0)
