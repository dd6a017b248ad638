"""How well a teacher still reads a mix."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def soft_cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """Cross entropy of each sample with a soft target, computed in float32.

    Args:
        logits: (N, num_classes).
        targets: Soft labels, (N, num_classes).

    Returns:
        (N,), in nats.
    """
    return -(targets.float() * F.log_softmax(logits.float(), dim=1)).sum(dim=1)


def top_classes_match(logits: Tensor, classes: Tensor) -> Tensor:
    """Whether the top-k classes of the logits are exactly the mixed classes.

    A set that names a class twice has fewer than k different ones; as many top classes are
    compared as there are different mixed classes. Logits that aren't finite match nothing.

    Args:
        logits: (N, num_classes).
        classes: The classes of the mixed images, int64 (N, k).

    Returns:
        Boolean (N,).
    """
    mixed = torch.zeros_like(logits, dtype=torch.bool).scatter_(1, classes, True)
    num_unique = mixed.sum(dim=1)
    ranked = logits.topk(min(classes.size(1), logits.size(1)), dim=1).indices
    is_mixed = mixed.gather(1, ranked)
    counts = torch.arange(ranked.size(1), device=logits.device) < num_unique[:, None]
    return (is_mixed | ~counts).all(dim=1) & logits.isfinite().all(dim=1)
