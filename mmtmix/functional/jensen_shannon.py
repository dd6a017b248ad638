"""Agreement of several predictions of one image."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor


def jensen_shannon(logits: Sequence[Tensor]) -> Tensor:
    """The Jensen-Shannon divergence of V predictions (AugMix, section 3): ``mean_v KL(p_v, M)``.

    M is the mean of the predictions. Its logarithm comes from theirs, so that unlike in the
    authors' code nothing has to be clamped where all predictions underflow.

    Args:
        logits: Of each view, (N, num_classes); V >= 2.

    Returns:
        (N,), in nats and float32, between 0 and log V.

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
