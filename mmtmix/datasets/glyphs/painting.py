"""Paint turned and scaled pieces of pictures into many images at once."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from .atlas import Atlas, Floats, bilinear

_BLOCK = 64  # images that are painted at once; their patches fit into a cache


@dataclass
class Pieces:
    """One piece for each of N images; all fields are arrays over the images.

    Attributes:
        image: Number of the image.
        start: Place of the picture in the atlas.
        side: Side of the picture in the atlas.
        x: Centre of the piece in pixels from the left.
        y: Centre of the piece in pixels from the top.
        pixels: Side that the whole picture would have, in pixels.
        angle: Turn in radians.
        mirror: 1, or -1 for a mirrored piece.
        window: Left, top, right and bottom of the part that is shown, as shares of the picture,
            (N, 4).
        colour: Matrix of the colours, (N, 3, 3).
        light: Grey that is added, (N,), 0 to 255.
        opacity: Factor of the opacity.
        mark: Number that the covered pixels get; 0 for what is no object.
    """

    image: NDArray[np.int64]
    start: NDArray[np.int64]
    side: NDArray[np.int64]
    x: NDArray
    y: NDArray
    pixels: NDArray
    angle: NDArray
    mirror: NDArray
    window: NDArray
    colour: NDArray
    light: NDArray
    opacity: NDArray
    mark: NDArray[np.uint8]

    def pick(self, rows: NDArray) -> Pieces:
        """Return the pieces of some rows."""
        return Pieces(*(getattr(self, each.name)[rows] for each in fields(self)))

    def extents(self) -> NDArray:
        """Return the side of the upright square around each turned piece, in pixels, (N,)."""
        spans = self.window[:, 2:].clip(0, 1) - self.window[:, :2].clip(0, 1)
        cosine, sine = abs(np.cos(self.angle)), abs(np.sin(self.angle))
        across = spans[:, 0] * cosine + spans[:, 1] * sine
        down = spans[:, 0] * sine + spans[:, 1] * cosine
        # beyond its border, a piece fades out within a pixel of the atlas or the image
        return np.maximum(across, down) * self.pixels + 2 * np.maximum(self.pixels / self.side, 1)


def margin_of(pieces: Sequence[Pieces]) -> int:
    """Return the margin that a canvas needs for pieces with their centres in the images."""
    largest = max((each.extents().max(initial=0) for each in pieces), default=0)
    return int(np.ceil(largest)) // 2 + 2


class Canvas:
    """Images in the making, and what is in front at each pixel.

    Args:
        images: Colours, float32 (N, size, size, 3), 0 to 255.
        margin: Pixels around them in which pieces may end; see :func:`margin_of`.
    """

    def __init__(self, images: Floats, margin: int):
        count, self.size = images.shape[:2]
        self.margin = margin
        whole = self.size + 2 * margin
        self._colours = np.zeros((count, whole, whole, 3), np.float32)
        self._marks = np.zeros((count, whole, whole), np.uint8)
        self.images[:] = images

    @property
    def images(self) -> Floats:
        """Colours, float32 (N, size, size, 3)."""
        inner = slice(self.margin, self.margin + self.size)
        return self._colours[:, inner, inner]

    @property
    def marks(self) -> NDArray[np.uint8]:
        """Mark of the frontmost piece that covers at least half of a pixel, (N, size, size)."""
        inner = slice(self.margin, self.margin + self.size)
        return self._marks[:, inner, inner]

    def copy(self) -> Canvas:
        """Return a copy that shares nothing."""
        return copy.deepcopy(self)

    def replace(self, rows: NDArray[np.bool_], other: Canvas) -> None:
        """Replace some images by those of another canvas.

        Args:
            rows: Images to replace, bool (N,).
            other: Canvas of the same size.
        """
        self._colours[rows] = other._colours[rows]
        self._marks[rows] = other._marks[rows]

    def paint(self, atlas: Atlas, pieces: Pieces) -> None:
        """Paint at most one piece into each image.

        Args:
            atlas: Pictures.
            pieces: Pieces, whose centres lie in the images; no image has two.
        """
        # those of a similar size together, because the largest determines the patch
        order = np.argsort(pieces.extents(), kind='stable')
        for begin in range(0, len(order), _BLOCK):
            self._paint(atlas, pieces.pick(order[begin : begin + _BLOCK]))

    def _paint(self, atlas: Atlas, pieces: Pieces) -> None:
        patch = int(np.ceil(pieces.extents().max()))
        first = [
            np.floor(each - patch / 2 + 0.5).astype(np.int64) for each in (pieces.x, pieces.y)
        ]
        steps = np.arange(patch)
        columns, rows = (each[:, None] + steps for each in first)
        drawn, cover = _read(
            atlas,
            pieces,
            (columns + 0.5 - pieces.x[:, None])[:, None, :].astype(np.float32),
            (rows + 0.5 - pieces.y[:, None])[:, :, None].astype(np.float32),
        )
        place = (
            pieces.image[:, None, None],
            rows[:, :, None] + self.margin,
            columns[:, None, :] + self.margin,
        )
        opacity = pieces.opacity.astype(np.float32)[:, None, None, None]
        colours = self._colours[place]
        colours *= 1 - cover[..., None] * opacity
        self._colours[place] = colours + drawn * opacity
        self._marks[place] = np.where(cover >= 0.5, pieces.mark[:, None, None], self._marks[place])


def _read(atlas: Atlas, pieces: Pieces, across: Floats, down: Floats) -> tuple[Floats, Floats]:
    """Return colours times coverage, (n, h, w, 3), and coverage, (n, h, w), of patches.

    ``across`` and ``down`` are the places of their pixels relative to the centre.
    """

    def spread(values: NDArray) -> Floats:
        return values.astype(np.float32)[:, None, None]

    cosine, sine = spread(np.cos(pieces.angle)), spread(np.sin(pieces.angle))
    middle = (pieces.window[:, :2] + pieces.window[:, 2:]) / 2
    scale = spread(pieces.side / pieces.pixels)
    # in pixels of the atlas, from the left and the top of the picture
    left = (across * cosine + down * sine) * scale * spread(pieces.mirror)
    top = (down * cosine - across * sine) * scale
    left += spread(middle[:, 0] * pieces.side)
    top += spread(middle[:, 1] * pieces.side)
    texels = bilinear(atlas.table, pieces.start, pieces.side, left, top)
    # pieces end within a pixel of the image; the ring ends whole pictures
    is_part = ((pieces.window[:, :2] > 0) | (pieces.window[:, 2:] < 1)).any(axis=1)
    if is_part.any():
        bounds = pieces.window * pieces.side[:, None]
        inside = np.minimum(left - spread(bounds[:, 0]), spread(bounds[:, 2]) - left)
        inside = np.minimum(inside, top - spread(bounds[:, 1]))
        inside = np.minimum(inside, spread(bounds[:, 3]) - top) / scale + 0.5
        inside[~is_part] = 1
        texels *= inside.clip(0, 1)[..., None]
    cover = texels[..., 3]
    colours = (spread(pieces.light) * cover)[..., None]
    # by hand: a matrix product may round in another way on another processor
    for channel in range(3):
        factors = pieces.colour[:, channel].astype(np.float32)[:, None, None]
        colours = colours + texels[..., channel, None] * factors
    return np.minimum(np.maximum(colours, 0), 255 * cover[..., None]), cover
