"""Crops, flips, pads and erased patches of a whole batch of integer images, by index."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from mmtmix.checks import check_choice, check_integer, check_number, check_numbers

PADS = ('constant', 'edge', 'reflect', 'symmetric')
"""Kinds of padding."""
OUTSIDE = -1
"""Position of a pixel that a constant fills."""


def pad_positions(size: int, before: int, after: int, mode: str = 'constant') -> Tensor:
    """Return which pixel of a line each pixel of the padded line repeats.

    Args:
        size: Length of the line in pixels, >= 1.
        before: Number of pixels before it, >= 0.
        after: Number of pixels behind it, >= 0.
        mode: Kind of padding: ``'constant'``, ``'edge'``, ``'reflect'`` or ``'symmetric'``, as in
            ``numpy.pad``.

    Returns:
        Positions in [0, size), int64 (before + size + after,); :data:`OUTSIDE` where a constant
        is filled in.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range.
    """
    check_integer('size', size, 1)
    check_integer('before', before, 0)
    check_integer('after', after, 0)
    check_choice('mode', mode, PADS)
    places = torch.arange(-before, size + after)
    if mode == 'constant':
        return torch.where((places < 0) | (places >= size), OUTSIDE, places)
    if mode == 'edge' or size == 1:
        return places.clamp(0, size - 1)
    period = 2 * size - (2 if mode == 'reflect' else 0)
    places = places % period
    return torch.where(places < size, places, 2 * size - (2 if mode == 'reflect' else 1) - places)


def with_fill(height: int, width: int, colours: Tensor) -> Tensor:
    """Return an image without content, with a row and a column of each fill colour behind it.

    :func:`pick_pixels` reads a filled pixel from there as any other. Where a row of one colour
    meets a column of another, the later colour lies over the earlier one.

    Args:
        height: Height H of the images in pixels, >= 1.
        width: Width W of the images in pixels, >= 1.
        colours: Fill colours in the order of the paddings, (K, C).

    Returns:
        Image (C, H + K, W + K) in the dtype of ``colours``; zeros where the content belongs.

    Raises:
        TypeError: If a size is no integer.
        ValueError: If a size is below 1.
    """
    check_integer('height', height, 1)
    check_integer('width', width, 1)
    count, channels = colours.shape
    canvas = colours.new_zeros(channels, height + count, width + count)
    for number, colour in enumerate(colours):
        canvas[:, height + number, : width + number + 1] = colour[:, None]
        canvas[:, : height + number + 1, width + number] = colour[:, None]
    return canvas


def pick_pixels(source: Tensor, index: Tensor, rows: Tensor, cols: Tensor) -> Tensor:
    """Return a batch of chosen images, each with chosen rows and columns.

    Pixel (y, x) of image n is ``source[index[n], :, rows[n, y], cols[n, x]]``.

    Args:
        source: Images of any dtype, contiguous (M, C, H, W).
        index: Numbers of the images, int64 (N,), in [0, M).
        rows: Rows that are read, int64 (N, h), in [0, H).
        cols: Columns that are read, int64 (N, w), in [0, W).

    Returns:
        Images (N, C, h, w), contiguous.
    """
    _, channels, height, width = source.shape
    planes = index[:, None] * channels + torch.arange(channels, device=index.device)
    lines = planes[:, :, None] * height + rows[:, None]
    picked = source.view(-1, width).index_select(0, lines.flatten()).view(*lines.shape, width)
    return picked.gather(3, cols[:, None, None].expand(*lines.shape, -1))


def draw_patches(
    count: int,
    height: int,
    width: int,
    prob: float,
    area: Sequence[float],
    aspect: Sequence[float],
    generator: torch.Generator | None = None,
) -> Tensor:
    """Draw a rectangle in each image of a batch, as MMPretrain's ``RandomErasing`` does.

    Args:
        count: Number N of images, >= 0.
        height: Height of the images in pixels, >= 1.
        width: Width of the images in pixels, >= 1.
        prob: Probability that an image has a rectangle, in [0, 1].
        area: Least and greatest share of the picture's area, in [0, 1].
        aspect: Least and greatest ratio of height to width, > 0, drawn evenly in the logarithm.
        generator: Source of randomness.

    Returns:
        Top, left, height and width in pixels, int64 (N, 4), on the CPU; zeros without a rectangle.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range.

    Source: Zhong et al., Random Erasing Data Augmentation, AAAI 2020, algorithm 1.
    """
    check_integer('count', count, 0)
    check_integer('height', height, 1)
    check_integer('width', width, 1)
    check_number('prob', prob, 0, 1)
    check_numbers('area', area, 2, 0, 1, ordered=True)
    check_numbers('aspect', aspect, 2, above=0, ordered=True)
    draws = torch.rand(5, count, generator=generator, dtype=torch.float64)
    low, high = torch.tensor(aspect, dtype=torch.float32).log().double()
    ratio = (low + (high - low) * draws[1]).exp()
    pixels = height * width * (area[0] + (area[1] - area[0]) * draws[2])
    tall = (pixels * ratio).sqrt().round().clamp(max=height)
    wide = (pixels / ratio).sqrt().round().clamp(max=width)
    # the last place is left out, as there
    top, left = (draws[3] * (height - tall)).floor(), (draws[4] * (width - wide)).floor()
    patches = torch.stack([top, left, tall, wide], dim=1).long()
    return patches * (draws[0] <= prob)[:, None]


def patch_masks(patches: Tensor, height: int, width: int) -> Tensor:
    """Return True in each image's rectangle.

    Args:
        patches: Top, left, height and width in pixels, int64 (N, 4).
        height: Height H of the images in pixels, >= 1.
        width: Width W of the images in pixels, >= 1.

    Returns:
        Masks, bool (N, 1, H, W).

    Raises:
        TypeError: If a size is no integer.
        ValueError: If a size is below 1.
    """
    check_integer('height', height, 1)
    check_integer('width', width, 1)
    top, left, tall, wide = patches[:, :, None].unbind(1)
    y, x = (torch.arange(size, device=patches.device) for size in (height, width))
    rows, cols = (y >= top) & (y < top + tall), (x >= left) & (x < left + wide)
    return (rows[:, :, None] & cols[:, None])[:, None]
