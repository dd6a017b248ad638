"""Boxes for every mix of a batch at once: their masks, and images inside of them."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from mmtmix.checks import check_integer

from .layers import Covers, product
from .masks import layer_masks, layer_shares


def box_masks(
    weights: Tensor, height: int, width: int, generator: torch.Generator | None = None
) -> Tensor:
    """Return masks that paste boxes of the partners over each own image (CutMix).

    Image i is pasted over the images 0 to i - 1, in a box of the picture's aspect ratio whose
    area is its share among them. Boxes lie wholly inside the picture, so for two images the
    areas are the weights but for rounding to whole pixels.

    Args:
        weights: Shares of the images, own first, (N, k), rows on the simplex.
        height: Height H of the picture in pixels.
        width: Width W of the picture in pixels.
        generator: Source of randomness for the boxes' places.

    Returns:
        One-hot float32 masks of shape (N, k, 1, H, W) on the device of ``weights``.
    """
    boxes = place_boxes(layer_shares(weights).sqrt(), height, width, generator)
    return paste_boxes(boxes, height, width)


def box_covers(boxes: Tensor, height: int, width: int) -> Covers:
    """Return the covers of images that are pasted into boxes, for :func:`blend_layers`.

    Args:
        boxes: Boxes of the partners: top, left, height and width in pixels, (N, k - 1, 4).
        height: Height H of the picture in pixels.
        width: Width W of the picture in pixels.

    Returns:
        Rows (N, k - 1, H, 1) and columns (N, k - 1, 1, W), bool: whether they cross the box.
    """
    _check_size(height, width)
    top, left, box_height, box_width = boxes.unsqueeze(-1).unbind(dim=2)
    rows, columns = _inside(top, box_height, height), _inside(left, box_width, width)
    return rows.unsqueeze(-1), columns.unsqueeze(-2)


def place_boxes(
    side: Tensor, height: int, width: int, generator: torch.Generator | None = None
) -> Tensor:
    """Draw places for boxes of the picture's aspect ratio inside the picture.

    Args:
        side: Sides of the boxes as a share of the picture's, in [0, 1], (N, b).
        height: Height H of the picture in pixels.
        width: Width W of the picture in pixels.
        generator: Source of randomness for the boxes' places.

    Returns:
        Boxes: top, left, height and width in whole pixels, (N, b, 4), in the dtype of ``side``.
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


def clip_boxes(
    side: Tensor, height: int, width: int, generator: torch.Generator | None = None
) -> Tensor:
    """Draw boxes of the picture's aspect ratio around any pixel, cut off at the border (CutMix).

    As in the published code, torchvision and timm: the centre is a pixel ``(r, c)``, uniform over
    the picture. A box of the sides ``h = floor(side * H)`` and ``w = floor(side * W)`` has the
    rows from ``r - floor(h / 2)`` to before ``r + floor(h / 2)``, and such columns.

    Args:
        side: Sides before the cut as a share of the picture's, in [0, 1], (N, b).
        height: Height H of the picture in pixels.
        width: Width W of the picture in pixels.
        generator: Source of randomness for the boxes' centres.

    Returns:
        Boxes: top, left, height and width in whole pixels, (N, b, 4), in the dtype of ``side``.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range.
    """
    _check_size(height, width)
    device = generator.device if generator is not None else None
    place = torch.rand(*side.shape, 2, generator=generator, device=device)
    place = place.to(side.device, side.dtype, non_blocking=True)
    rows, columns = place.unbind(dim=-1)
    # a draw just below 1 may be rounded up to 1
    rows = (rows * height).floor().clamp_max(height - 1)
    columns = (columns * width).floor().clamp_max(width - 1)
    return centre_boxes(side, torch.stack([rows, columns], dim=-1), height, width)


def centre_boxes(side: Tensor, centre: Tensor, height: int, width: int) -> Tensor:
    """Return boxes of the picture's aspect ratio around pixels (SaliencyMix).

    As the published code does, a box reaches half its length, rounded down, to each side of its
    centre. What lies beyond the border is cut off.

    Args:
        side: Sides before the cut as a share of the picture's, in [0, 1], (N, b).
        centre: Row and column of each box's central pixel, (N, b, 2).
        height: Height H of the picture in pixels.
        width: Width W of the picture in pixels.

    Returns:
        Boxes: top, left, height and width in whole pixels, (N, b, 4), in the dtype of ``side``.
    """
    _check_size(height, width)
    reach = (_sides(side, height, width).floor() / 2).floor()
    start = (centre - reach).clamp_min(0)
    bottom, right = (centre + reach).unbind(dim=-1)
    end = torch.stack([bottom.clamp_max(height), right.clamp_max(width)], dim=-1)
    return torch.cat([start, end - start], dim=-1)


def paste_boxes(boxes: Tensor, height: int, width: int) -> Tensor:
    """Return the masks of images that are pasted into boxes, a later one over the earlier ones.

    Args:
        boxes: Boxes of the partners: top, left, height and width in pixels, (N, k - 1, 4).
        height: Height H of the picture in pixels.
        width: Width W of the picture in pixels.

    Returns:
        One-hot masks, own image first, float32 (N, k, 1, H, W).
    """
    return layer_masks(product(box_covers(boxes, height, width)))


def _check_size(height: int, width: int) -> None:
    check_integer('height', height, 1)
    check_integer('width', width, 1)


def _sides(side: Tensor, height: int, width: int) -> Tensor:
    """Return height and width in pixels of boxes of these sides, (N, b, 2).

    It takes plain numbers: a tensor of the picture's size would make the host wait for a GPU.
    """
    return torch.stack([side * height, side * width], dim=-1)


def _inside(start: Tensor, length: Tensor, size: int) -> Tensor:
    """Return whether each of ``size`` pixels is in an interval, bool (..., size)."""
    pixel = torch.arange(size, device=start.device)
    return (pixel >= start) & (pixel < start + length)


def shrink_into_boxes(images: Tensor, boxes: Tensor) -> Tensor:
    """Return images that are resized to their boxes and lie there (ResizeMix).

    Bilinear with ``align_corners=False`` and without antialiasing.

    Args:
        images: Images, (N, b, C, H, W).
        boxes: Boxes inside the picture: top, left, height and width in whole pixels, (N, b, 4).

    Returns:
        Images in their boxes, (N, b, C, H, W), in the dtype of ``images``. The surroundings are
        those of a warp with zeros outside.
    """
    # float32 at least, under autocast too, as in warp()
    dtype = torch.promote_types(images.dtype, torch.float32)
    flat = images.flatten(0, 1).to(dtype)
    with torch.autocast(images.device.type, enabled=False):
        top, left, height, width = boxes.flatten(0, 1).to(dtype).unsqueeze(-1).unbind(dim=1)
        rows = _sampled(top, height, images.size(-2))
        columns = _sampled(left, width, images.size(-1))
        # boxes are not turned, so this is affine_grid's result at a tenth of its time
        grid = torch.stack(torch.broadcast_tensors(columns[:, None], rows[..., None]), dim=-1)
        shrunk = F.grid_sample(flat, grid, padding_mode='zeros', align_corners=False)
    return shrunk.to(images.dtype).view_as(images)


def _sampled(start: Tensor, length: Tensor, size: int) -> Tensor:
    """Return where each pixel of a side is sampled, -1 to 1 across the image, (N, size)."""
    pixel = torch.arange(size, device=start.device) + 0.5
    # an empty box shows nothing
    return (pixel - start) * (2 / length.clamp_min(1)) - 1
