"""Rectangular masks: CutMix for every sample of a batch at once."""

from __future__ import annotations

import torch
from torch import Tensor


def box_masks(
    weights: Tensor, height: int, width: int, generator: torch.Generator | None = None
) -> Tensor:
    """Masks that paste boxes of the partners over each sample (CutMix, one draw a sample).

    Image i is pasted over what images 0..i-1 made, in a box of the picture's aspect ratio whose
    area is its share among them. Boxes lie wholly inside the picture, so for two images the
    areas are the weights but for rounding to whole pixels.

    Args:
        weights: Shares (N, k), own image first.
        height: Height H of the picture in pixels.
        width: Width W of the picture in pixels.
        generator: Source of randomness for the boxes' places.

    Returns:
        One-hot float32 masks of shape (N, k, 1, H, W) on the device of ``weights``.
    """
    num_samples, num_mix = weights.shape
    made_of = weights.cumsum(dim=1).clamp_min(torch.finfo(weights.dtype).tiny)
    side = (weights / made_of).clamp(0, 1).sqrt()
    device = generator.device if generator is not None else None
    place = torch.rand(2, num_samples, num_mix, generator=generator, device=device)
    place = place.to(weights.device)
    owner = torch.zeros(num_samples, height, width, dtype=torch.int8, device=weights.device)
    for i in range(1, num_mix):
        rows = _inside(side[:, i], place[0, :, i], height)
        columns = _inside(side[:, i], place[1, :, i], width)
        owner = torch.where(rows[:, :, None] & columns[:, None, :], i, owner)
    images = torch.arange(num_mix, dtype=torch.int8, device=weights.device)
    return (owner[:, None, None] == images[:, None, None, None]).float()


def _inside(side: Tensor, place: Tensor, size: int) -> Tensor:
    """Which of ``size`` pixels lie in an interval of relative length ``side``, (N, size)."""
    length = (side * size).round()
    start = (place * (size - length + 1)).floor().clamp_max(size - 1)
    pixel = torch.arange(size, device=side.device)
    return (pixel >= start[:, None]) & (pixel < (start + length)[:, None])
