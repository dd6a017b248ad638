"""Pictures in several sizes, from which patches are read."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


class Atlas:
    """Pictures in several sizes, from which patches are read by bilinear interpolation.

    Colours are multiplied by the opacity. Each size is half of the one before it, by the mean of
    four pixels. A ring of one pixel surrounds every picture.

    Args:
        pictures: Pictures, uint8 (N, S, S, C); with C = 4 the last channel is the opacity, and the
            ring is empty. With C = 3 they are opaque, and the ring repeats the border.
    """

    def __init__(self, pictures: NDArray[np.uint8]):
        count, side, _, channels = pictures.shape
        level = np.ones((count, side, side, 4), np.float32)
        level[..., :channels] = pictures
        if channels == 4:
            level[..., 3] /= 255
            level[..., :3] *= level[..., 3:]
        self.sides, tables, starts, begin = [], [], [], 0
        while True:
            side = level.shape[1]
            ring = ((0, 0), (1, 1), (1, 1), (0, 0))
            padded = np.pad(level, ring, mode='constant' if channels == 4 else 'edge')
            self.sides.append(side)
            starts.append(begin)
            begin += count * (side + 2) ** 2
            tables.append(padded.reshape(-1, 4))
            if side % 2 or side <= 6:
                break
            level = level.reshape(count, side // 2, 2, side // 2, 2, 4).mean((2, 4))
        self.table = np.concatenate(tables)
        self.starts = np.array(starts)

    def place(
        self, pictures: NDArray[np.int64], pixels: NDArray
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return where pictures start in the table, and their sides in it.

        The size that is closest to the wanted one is taken.

        Args:
            pictures: Numbers of pictures, (N,).
            pixels: Sides that the whole pictures have in the image, in pixels, (N,).
        """
        sides = np.array(self.sides)
        levels = np.rint(np.log2(sides[0] / np.maximum(pixels, 1e-6)))
        levels = levels.clip(0, len(sides) - 1).astype(np.int64)
        found = sides[levels]
        return self.starts[levels] + pictures * (found + 2) ** 2, found


def bilinear(table: Floats, start: NDArray, side: NDArray, left: Floats, top: Floats) -> Floats:
    """Return interpolated texels; beyond the ring, that of the ring.

    Args:
        table: Texels of an :class:`Atlas`, (P, 4).
        start: Place of each patch's picture in the table, (n,).
        side: Side of each picture in pixels of the atlas, (n,).
        left: Places from the left of the picture, in pixels of the atlas, (n, h, w).
        top: Places from the top of the picture, (n, h, w).

    Returns:
        Texels, float32 (n, h, w, 4).
    """
    most = side[:, None, None]
    x, y = left - np.float32(0.5), top - np.float32(0.5)
    x0, y0 = np.floor(x), np.floor(y)
    right, bottom = (x - x0)[..., None], (y - y0)[..., None]
    columns = [np.clip(x0.astype(np.int64) + step, -1, most) + 1 for step in (0, 1)]
    rows = [np.clip(y0.astype(np.int64) + step, -1, most) + 1 for step in (0, 1)]
    lines = [start[:, None, None] + row * (most + 2) for row in rows]
    found = []
    for line in lines:
        one, other = (table.take(line + column, axis=0) for column in columns)
        other -= one
        other *= right
        one += other
        found.append(one)
    found[1] -= found[0]
    found[1] *= bottom
    found[0] += found[1]
    return found[0]


def cut_backgrounds(
    atlas: Atlas, size: int, pictures: Sequence[NDArray], mirror: NDArray
) -> Floats:
    """Cut squares from pictures and scale them to the size of the images.

    Args:
        atlas: Pictures.
        size: Side of the images in pixels.
        pictures: Number of the picture, and left, top and side of the square as shares of it,
            (N,) each.
        mirror: 1, or -1 for a mirrored square, (N,).

    Returns:
        Colours, float32 (N, size, size, 3).
    """
    number, left, top, part = pictures
    start, side = atlas.place(number, size / part)
    steps = (np.arange(size) + 0.5) / size
    turned = np.where(mirror[:, None] < 0, steps[::-1], steps)
    across = ((left[:, None] + turned * part[:, None]) * side[:, None])[:, None, :]
    down = ((top[:, None] + steps * part[:, None]) * side[:, None])[:, :, None]
    shape = (len(number), size, size)
    across, down = (np.broadcast_to(each, shape).astype(np.float32) for each in (across, down))
    return bilinear(atlas.table, start, side, across, down)[..., :3]
