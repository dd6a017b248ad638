"""Saliency from activations, from gradients and from contrast alone; its scaling."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from mmtmix.checks import check_flag, check_number, check_numbers

from .affine import warp

NEIGHBOURHOODS = (12, 24, 48, 28, 56, 112)
# shares of red, green and blue in gray, in units of 2^-15
RGB_SHARES = (9798.0, 19235.0, 3735.0)


def class_activation_map(features: Tensor, weight: Tensor, classes: Tensor) -> Tensor:
    """Return classic CAMs (Zhou et al. 2016): feature maps weighted by a class's classifier row.

    Where ``logits = Linear(GAP(features))``, the mean of the map of class c is
    ``logit_c - bias_c``.

    Args:
        features: Last feature maps before global average pooling, (N, D, h, w).
        weight: Weight of the linear classifier, (num_classes, D).
        classes: Class of each image's map, int64 (N,).

    Returns:
        Raw, signed maps, float32 (N, 1, h, w).
    """
    rows = weight.float()[classes]
    return torch.einsum('nd,ndhw->nhw', rows, features.float()).unsqueeze(1)


def class_activation_maps(features: Tensor, weight: Tensor) -> Tensor:
    """Return the classic CAMs of all classes, each as :func:`class_activation_map` returns it.

    Args:
        features: Last feature maps before global average pooling, (N, D, h, w).
        weight: Weight of the linear classifier, (num_classes, D).

    Returns:
        Raw, signed maps, float32 (N, num_classes, h, w).
    """
    return torch.einsum('cd,ndhw->nchw', weight.float(), features.float())


def grad_cam(features: Tensor, gradients: Tensor) -> Tensor:
    """Return Grad-CAMs (Selvaraju et al. 2017): maps weighted by their pooled gradients.

    Args:
        features: Activations of the chosen layer, (N, D, h, w).
        gradients: Gradient of the class's logit with respect to them, (N, D, h, w).

    Returns:
        Maps >= 0, float32 (N, 1, h, w).
    """
    importance = gradients.float().mean(dim=(2, 3), keepdim=True)
    return (importance * features.float()).sum(dim=1, keepdim=True).relu()


def gradient_saliency(gradients: Tensor) -> Tensor:
    """Return the root mean square of a gradient over channels, as the saliency of each pixel.

    Args:
        gradients: Gradients with respect to the images, (N, C, H, W).

    Returns:
        Maps >= 0, float32 (N, 1, H, W).
    """
    return gradients.float().square().mean(dim=1, keepdim=True).sqrt()


def min_max(cam: Tensor, eps: float = 1e-7) -> Tensor:
    """Scale each map to [0, 1]; a constant map becomes 0, one with NaN or infinity holds NaN.

    Ours: teachers' CAMs are scaled at their own size and resized afterwards. The paper does not
    give the order. Resized maps then need not reach 0 and 1.

    Args:
        cam: Raw maps, (N, 1, h, w).
        eps: Share of the map's largest magnitude, > 0, below which a range counts as constant.

    Returns:
        Saliency in [0, 1], (N, 1, h, w), in the dtype of ``cam``.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range.
    """
    check_number('eps', eps, above=0)
    # half precision has neither room for the range of its numbers nor for eps
    wide = cam.to(torch.promote_types(cam.dtype, torch.float32))
    low = wide.amin(dim=(-2, -1), keepdim=True)
    high = wide.amax(dim=(-2, -1), keepdim=True)
    span = high - low
    # relative, since the gradients behind Grad-CAM can be of any size
    least = (torch.maximum(high.abs(), low.abs()) * eps).clamp_min(torch.finfo(wide.dtype).tiny)
    return ((wide - low) / torch.maximum(span, least)).to(cam.dtype)


def unit_mass(saliency: Tensor) -> Tensor:
    """Scale each map to a sum of 1; a map of zeros becomes the same value everywhere.

    Args:
        saliency: Maps >= 0, (N, 1, h, w).

    Returns:
        Maps whose sums are 1, float32 (N, 1, h, w); NaN where a map holds NaN or infinity.
    """
    wide = saliency.float()
    # relative to the largest value first, since a sum of gradients may underflow or overflow
    high = wide.amax(dim=(-2, -1), keepdim=True)
    scaled = wide / torch.where(high == 0, torch.ones_like(high), high)
    scaled = torch.where(high == 0, torch.ones_like(scaled), scaled)
    return scaled / scaled.sum(dim=(-2, -1), keepdim=True)


def visible_shares(saliency: Tensor, masks: Tensor, fallback: Tensor | None = None) -> Tensor:
    """Return the share of each image in the visible saliency of all.

    Args:
        saliency: Maps >= 0 where the images lie in the mix, (N, k, 1, h, w).
        masks: Masks of the images, (N, k, 1, h, w).
        fallback: Shares where no saliency is visible, (N, k); None for equal ones.

    Returns:
        Shares (N, k), rows on the simplex; those of ``fallback`` where no saliency is visible,
        NaN where it is NaN.
    """
    seen = (saliency.float() * masks.float()).sum(dim=(2, 3, 4))
    total = seen.sum(dim=1, keepdim=True)
    if fallback is None:
        fallback = torch.full_like(seen, 1 / seen.size(1))
    is_empty = total <= 0  # not total > 0, which would hide NaN
    # by no least total, since gradients may be of any size
    shares = seen / torch.where(is_empty, torch.ones_like(total), total)
    return torch.where(is_empty, fallback.to(seen.dtype), shares)


def kept_saliency(saliency: Tensor, masks: Tensor, theta: Tensor) -> Tensor:
    """Return the share of each image's saliency that its mix shows.

    What a warp moves out of the picture is not shown, and what it enlarges counts once.

    Args:
        saliency: Maps >= 0 of the images, (N, k, 1, h, w).
        masks: Masks of the images in the mix, (N, k, 1, h, w), that sum to 1 over k.
        theta: Parameters of their warps, (N, k, 2, 3); see :func:`mmtmix.functional.warp`.

    Returns:
        Shares (N, k) in [0, 1], up to the error of the resampling; NaN for a map of zeros.
    """
    saliency, theta = saliency.float(), theta.float()
    # a pixel of the mix covers so many pixels of the image
    area = torch.linalg.det(theta[..., :2]).abs()
    seen = (warp(saliency, theta) * masks.float()).sum(dim=(2, 3, 4)) * area
    return seen / saliency.sum(dim=(2, 3, 4))


def resize_map(maps: Tensor, size: int | tuple[int, int]) -> Tensor:
    """Resize maps bilinearly (``align_corners=False``); keeps a sum of 1 over channels.

    Args:
        maps: Maps, (N, c, h, w).
        size: Side of the square result in pixels, or its (height, width).

    Returns:
        Resized maps, (N, c, height, width).

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range.
    """
    target = (size, size) if isinstance(size, int) else tuple(size)
    check_numbers('size', target, 2, 1, whole=True)
    if maps.shape[-2:] == target:
        return maps
    return F.interpolate(maps, size=target, mode='bilinear', align_corners=False)


def join_maps(maps: Sequence[Tensor]) -> Tensor:
    """Concatenate maps over their channels, in the memory format that suits convolutions.

    On CPUs that is channels last, in which convolutions of few channels take three quarters of the
    time. Their results keep the format.

    Args:
        maps: Maps, each (N, c_i, h, w).

    Returns:
        Maps, (N, sum of c_i, h, w).
    """
    joined = torch.cat(list(maps), dim=1)
    if joined.device.type == 'cpu':
        joined = joined.contiguous(memory_format=torch.channels_last)
    return joined


def gray_levels(pixels: Tensor, is_rgb: bool) -> Tensor:
    """Return gray levels as OpenCV computes them from 8-bit images.

    Args:
        pixels: Pixels in 0-255, (N, C, H, W) with C of 1 or 3; rounded to whole numbers.
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
    """Return the contrast of each pixel with six neighbourhoods (Montabone and Soto 2010).

    It computes the same as ``StaticSaliencyFineGrained`` of opencv_contrib. The image is smoothed
    twice. Differences of centre and surround, in whole gray levels, are added up over the
    neighbourhoods, bright on dark and dark on bright apart. Each of the two sums is scaled to 255,
    and they are added.

    Args:
        gray: Gray levels, whole numbers in 0-255, (N, 1, H, W).

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
    """Return the mean of the pixels within ``reach`` of each pixel, without itself."""
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
