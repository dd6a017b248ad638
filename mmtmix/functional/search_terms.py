"""Terms of a search beside the teacher's cross entropy."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from mmtmix.checks import check_choice, check_number

HARD_FORMS = ('clipped', 'unlikelihood')
_LEAST = 1e-6


def hardness(logits: Tensor, targets: Tensor, form: str = 'clipped') -> Tensor:
    """Return a term that falls while a network fails to see what is mixed, and is bounded below.

    ``'clipped'`` is ``-min(CE, log C)`` per mix, with the cross entropy CE and C classes. It
    cannot go below ``-log C``: a network that guesses is hard enough. ``'unlikelihood'`` is
    ``-sum_c y_c log(1 - p_c)``, which cannot go below 0. In both forms the gradient vanishes once
    a mix is hard. So the term cannot outgrow the cross entropy that it is subtracted from.

    Args:
        logits: Logits of the network for the mixes, (N, num_classes).
        targets: Labels of the mixes, (N, num_classes), rows on the simplex.
        form: Form of the term, ``'clipped'`` or ``'unlikelihood'``.

    Returns:
        Term of each mix in nats, float32 (N,).

    Raises:
        ValueError: If ``form`` is neither.

    Source: the adversarial objective is that of AdAutoMix (ICLR 2024); the bounds are ours.
    """
    check_choice('form', form, HARD_FORMS)
    log_probs = torch.log_softmax(logits.float(), dim=1)
    targets = targets.to(log_probs.dtype)
    if form == 'clipped':
        return -(-(targets * log_probs).sum(dim=1)).clamp_max(math.log(logits.size(1)))
    # 1 - p loses its digits where p is near 1: the gradient there stays finite
    rest = (1 - log_probs.exp()).clamp_min(_LEAST)
    return -(targets * rest.log()).sum(dim=1)


def mode_seeking(
    masks: Tensor, others: Tensor, noise: Tensor, other_noise: Tensor, eps: float = 0.1
) -> Tensor:
    """Return a term that falls the more masks differ for different noise.

    It is ``1 / (r + eps)`` with the ratio ``r = mean|M - M'| / mean|z - z'|`` over the batch, as
    in the public code of MSGAN, which has ``eps=1e-5``. Ours cannot exceed ``1 / eps``, where a
    module ignores the noise.

    Args:
        masks: Masks of the mixes, (N, k, 1, H, W).
        others: Masks of the same images and weights with other noise, (N, k, 1, H, W).
        noise: Noise of the former, of any shape.
        other_noise: Noise of the latter, of the same shape.
        eps: Ratio that is added, > 0.

    Returns:
        A scalar in (0, 1 / eps], float32.

    Raises:
        TypeError: If ``eps`` is no number.
        ValueError: If ``eps`` is not positive.

    Source: Mao et al., Mode Seeking GANs, CVPR 2019, Eq. 4.
    """
    check_number('eps', eps, above=0)
    apart = (masks.float() - others.float()).abs().mean()
    distance = (noise.float() - other_noise.float()).abs().mean().clamp_min(_LEAST)
    return 1 / (apart / distance + eps)
