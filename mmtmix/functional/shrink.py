"""Whole images in boxes."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def shrink_into_boxes(images: Tensor, boxes: Tensor) -> Tensor:
    """Resize each image to its box and put it there (ResizeMix).

    Bilinear with ``align_corners=False`` and without antialiasing.

    Args:
        images: (N, b, C, H, W).
        boxes: Top, left, height and width in whole pixels, (N, b, 4), inside the picture.

    Returns:
        (N, b, C, H, W) in the dtype of ``images``: the images in their boxes, and beyond them
        what a warp with zeros outside gives.
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
    """Where each pixel of a side is sampled, from -1 to 1 across the image, (N, size)."""
    pixel = torch.arange(size, device=start.device) + 0.5
    # an empty box shows nothing
    return (pixel - start) * (2 / length.clamp_min(1)) - 1
