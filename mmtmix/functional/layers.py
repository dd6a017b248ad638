"""Masks of images that lie over one another."""

from __future__ import annotations

import torch
from torch import Tensor


def layer_shares(weights: Tensor) -> Tensor:
    """What each partner takes of the picture that the images before it make.

    If partner i covers this share of everything below it, the areas that remain are the weights.
    For two images it is the partner's weight.

    Args:
        weights: Shares (N, k), own image first.

    Returns:
        Shares in [0, 1], (N, k - 1), in the dtype of ``weights``.
    """
    made_of = weights.cumsum(dim=1).clamp_min(torch.finfo(weights.dtype).tiny)
    return (weights / made_of)[:, 1:].clamp(0, 1)


def layer_masks(covers: Tensor) -> Tensor:
    """Masks of images that are laid over the sample's own one after another.

    Args:
        covers: How much each partner hides of what lies below, in [0, 1], (N, k - 1, H, W).

    Returns:
        Masks (N, k, 1, H, W) in the dtype of ``covers``, summing to 1 over k; one-hot where the
        covers are 0 or 1.
    """
    last = covers.size(1) - 1
    masks, left = [covers[:, last]], 1 - covers[:, last]
    for i in reversed(range(last)):
        masks.insert(0, left * covers[:, i])
        left = left * (1 - covers[:, i])
    return torch.stack([left, *masks], dim=1).unsqueeze(2)
