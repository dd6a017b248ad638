"""OpenCV's fine-grained saliency, for every image of a batch at once."""

from __future__ import annotations

from collections import Counter

import torch
import torch.nn.functional as F
from torch import Tensor

from mmtmix.checks import check_flag

NEIGHBOURHOODS = (12, 24, 48, 28, 56, 112)
# shares of red, green and blue in gray, in units of 2^-15
RGB_SHARES = (9798.0, 19235.0, 3735.0)


def gray_levels(pixels: Tensor, is_rgb: bool) -> Tensor:
    """Gray levels as OpenCV computes them from 8-bit images.

    Args:
        pixels: Values in 0-255, (N, C, H, W) with C of 1 or 3; rounded to whole ones.
        is_rgb: Whether channels come as red, green, blue; otherwise as blue, green, red.

    Returns:
        Whole numbers in 0-255, float32 (N, 1, H, W).

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If there are neither 1 nor 3 channels.
    """
    check_flag('is_rgb', is_rgb)
    levels = pixels.float().round().clamp(0, 255)
    if pixels.size(1) == 1:
        return levels
    if pixels.size(1) != 3:
        raise ValueError(
            f'gray levels need images of 1 or 3 channels, got shape {tuple(pixels.shape)}'
        )
    shares = levels.new_tensor(RGB_SHARES if is_rgb else RGB_SHARES[::-1])
    # no einsum, which autocast and TF32 would round; sums stay below 2^24, so they are exact
    weighted = (levels * shares[:, None, None]).sum(dim=1, keepdim=True)
    return ((weighted + 2**14) / 2**15).floor()


def fine_grained_saliency(gray: Tensor) -> Tensor:
    """Contrast of each pixel with six neighbourhoods (Montabone and Soto 2010).

    It computes what ``StaticSaliencyFineGrained`` of opencv_contrib does: smooth twice, take
    differences of centre and surround in whole gray levels, bright on dark and dark on bright
    apart, add up over the neighbourhoods, scale each of the two to 255, and add them.

    Args:
        gray: Whole numbers in 0-255, (N, 1, H, W).

    Returns:
        Whole numbers >= 0, float32 (N, 1, H, W), mostly up to 255. A sum above that would wrap
        around in OpenCV's 8 bits; here it doesn't.
    """
    smooth = _smooth(_smooth(gray.float()))
    integral = F.pad(smooth, (1, 0, 1, 0)).int().cumsum(2, dtype=torch.int32)
    integral = integral.cumsum(3, dtype=torch.int32)
    on, off = torch.zeros_like(smooth), torch.zeros_like(smooth)
    # those that reach beyond the whole image are all the same
    longest = max(gray.shape[-2:])
    for reach, times in Counter(min(reach, longest) for reach in NEIGHBOURHOODS).items():
        difference = smooth - _surround(integral, smooth, reach)
        on += times * difference.clamp_min(0).floor()
        off += times * (-difference).clamp_min(0).floor()
    return _to_255(on) + _to_255(off)


def _smooth(gray: Tensor) -> Tensor:
    """Blur by (1, 2, 1) / 4 along both sides, mirrored at the border, rounded half up."""
    blurred = _sum_of_three(_sum_of_three(gray, 2), 3)
    return ((blurred + 8) / 16).floor()


def _sum_of_three(maps: Tensor, dim: int) -> Tensor:
    size = maps.size(dim)
    first = maps.narrow(dim, min(1, size - 1), 1)
    last = maps.narrow(dim, max(size - 2, 0), 1)
    before = torch.cat([first, maps.narrow(dim, 0, size - 1)], dim)
    after = torch.cat([maps.narrow(dim, 1, size - 1), last], dim)
    return before + 2 * maps + after


def _surround(integral: Tensor, gray: Tensor, reach: int) -> Tensor:
    """Mean of the pixels around each within ``reach``, without itself."""
    total, pixels = integral, torch.ones((), dtype=torch.int32, device=gray.device)
    for dim in (2, 3):
        size = gray.size(dim)
        position = torch.arange(size, device=gray.device)
        low = (position - reach + 1).clamp(0, size)
        high = (position + reach + 1).clamp(0, size)
        total = total.index_select(dim, high) - total.index_select(dim, low)
        pixels = pixels * (high - low).view((-1, 1) if dim == 2 else (-1,))
    return (total - gray) / (pixels - 1).clamp_min(1)


def _to_255(sums: Tensor) -> Tensor:
    """Scale each map to whole numbers in 0-255, rounded down; zeros stay."""
    share = sums / sums.amax(dim=(2, 3), keepdim=True).clamp_min(1)
    scaled = (255 * share).floor()
    # the product may have been rounded up to the next whole number, where OpenCV's, in double
    # precision, isn't; this comparison is exact, and needs no float64
    return scaled - ((256 * share - scaled) < share).float()
