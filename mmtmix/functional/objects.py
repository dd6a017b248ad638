"""Objects in masks: where they are, how to move them, and how much they would cover."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def object_boxes(masks: Tensor) -> Tensor:
    """Return the least box around each object.

    Args:
        masks: Masks of the objects, bool (N, H, W).

    Returns:
        Top, left, height and width in pixels, int64 (N, 4); zeros for a mask without an object.
    """
    parts = []
    for inside in (masks.any(dim=2), masks.any(dim=1)):
        size = inside.size(1)
        first = inside.int().argmax(dim=1)
        last = size - 1 - inside.flip(1).int().argmax(dim=1)
        exists = inside.any(dim=1)
        parts.append((first * exists, (last - first + 1) * exists))
    (top, height), (left, width) = parts
    return torch.stack([top, left, height, width], dim=1)


def shift_images(images: Tensor, shift: Tensor) -> Tensor:
    """Move images by whole pixels; what comes from outside of an image is 0.

    Args:
        images: Images or maps, (N, C, H, W).
        shift: Pixels down and right that each image moves, int64 (N, 2).

    Returns:
        Moved images, new, (N, C, H, W), in the dtype of ``images``.
    """
    moved = images
    for axis in (0, 1):
        size = images.size(2 + axis)
        source = torch.arange(size, device=images.device) - shift[:, axis, None]
        inside = (source >= 0) & (source < size)
        shape = (len(images), 1, size, 1) if axis == 0 else (len(images), 1, 1, size)
        place = source.clamp(0, size - 1).view(shape).expand_as(moved)
        moved = moved.gather(2 + axis, place).masked_fill(~inside.view(shape), 0)
    return moved


def covered_pixels(below: Tensor, above: Tensor) -> Tensor:
    """Count the pixels of one object that another one would cover, for each place of the other.

    Args:
        below: Masks of the objects that may be covered, bool (N, H, W).
        above: Masks of the objects that cover, bool (N, H, W).

    Returns:
        Number of pixels that both have after ``above`` moved down by r and right by c, at
        ``[n, r, c]``, int64 (N, H, W). What leaves the picture covers nothing.
    """
    height, width = below.shape[-2:]
    size = (2 * height, 2 * width)  # so that nothing comes back at the other side
    with torch.autocast(below.device.type, enabled=False):
        first, second = (
            torch.fft.rfft2(F.pad(mask.float(), (0, width, 0, height))) for mask in (below, above)
        )
        counts = torch.fft.irfft2(first * second.conj(), s=size)
    # whole numbers, so the error of the transform is rounded away
    return counts[:, :height, :width].round().long()
