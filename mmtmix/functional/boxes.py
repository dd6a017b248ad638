"""Rectangular masks: boxes for every sample of a batch at once."""

from __future__ import annotations

import torch
from torch import Tensor

from mmtmix.checks import check_integer

from .layers import layer_masks, layer_shares


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
    boxes = place_boxes(layer_shares(weights).sqrt(), height, width, generator)
    return paste_boxes(boxes, height, width)


def place_boxes(
    side: Tensor, height: int, width: int, generator: torch.Generator | None = None
) -> Tensor:
    """Put boxes of the picture's aspect ratio anywhere inside the picture.

    Args:
        side: Their sides as a share of the picture's, in [0, 1], (N, b).
        height: Height H of the picture in pixels.
        width: Width W of the picture in pixels.
        generator: Source of randomness for their places.

    Returns:
        Top, left, height and width in whole pixels, (N, b, 4), in the dtype of ``side``.
    """
    _check_size(height, width)
    device = generator.device if generator is not None else None
    place = torch.rand(*side.shape, 2, generator=generator, device=device)
    place = place.to(side.device, side.dtype, non_blocking=True)
    length = _sides(side, height, width).round()
    free = torch.stack([height - length[..., 0], width - length[..., 1]], dim=-1)
    # a draw just below 1 may be rounded up to 1
    start = torch.minimum((place * (free + 1)).floor(), free)
    return torch.cat([start, length], dim=-1)


def centre_boxes(side: Tensor, centre: Tensor, height: int, width: int) -> Tensor:
    """Put boxes of the picture's aspect ratio around pixels (SaliencyMix).

    As the published code does, a box reaches half its length, rounded down, to each side of its
    centre. What lies beyond the border is cut off.

    Args:
        side: Their sides before that as a share of the picture's, in [0, 1], (N, b).
        centre: Row and column of a pixel each, (N, b, 2).
        height: Height H of the picture in pixels.
        width: Width W of the picture in pixels.

    Returns:
        Top, left, height and width in whole pixels, (N, b, 4), in the dtype of ``side``.
    """
    _check_size(height, width)
    reach = (_sides(side, height, width).floor() / 2).floor()
    start = (centre - reach).clamp_min(0)
    bottom, right = (centre + reach).unbind(dim=-1)
    end = torch.stack([bottom.clamp_max(height), right.clamp_max(width)], dim=-1)
    return torch.cat([start, end - start], dim=-1)


def paste_boxes(boxes: Tensor, height: int, width: int) -> Tensor:
    """Masks of images that are pasted into boxes, a later one over the earlier ones.

    Args:
        boxes: Top, left, height and width of each partner's box, (N, k - 1, 4).
        height: Height H of the picture in pixels.
        width: Width W of the picture in pixels.

    Returns:
        One-hot float32 masks of shape (N, k, 1, H, W), own image first.
    """
    _check_size(height, width)
    top, left, box_height, box_width = boxes.unsqueeze(-1).unbind(dim=2)
    rows = _inside(top, box_height, height)
    columns = _inside(left, box_width, width)
    return layer_masks(rows[..., None] * columns[..., None, :])


def _check_size(height: int, width: int) -> None:
    check_integer('height', height, 1)
    check_integer('width', width, 1)


def _sides(side: Tensor, height: int, width: int) -> Tensor:
    """Height and width in pixels of boxes of these sides, (N, b, 2).

    By plain numbers: a tensor of the picture's size would have the host wait for a GPU.
    """
    return torch.stack([side * height, side * width], dim=-1)


def _inside(start: Tensor, length: Tensor, size: int) -> Tensor:
    """Which of ``size`` pixels lie in an interval, float32 (..., size)."""
    pixel = torch.arange(size, device=start.device)
    return ((pixel >= start) & (pixel < start + length)).float()
