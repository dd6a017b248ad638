"""MMPretrain's crops, flips and pads of one image, as index maps of a batch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Protocol

import mmcv
import numpy as np
import torch
from mmcv.transforms import CenterCrop, Pad, RandomFlip
from mmpretrain.datasets import RandomCrop
from torch import Tensor

from mmtmix.functional.pixel_maps import OUTSIDE, pad_positions

GEOMETRIC = (RandomFlip, RandomCrop, Pad, CenterCrop)
"""Transforms that :class:`Geometry` does for a batch."""


class _Step(Protocol):
    """A part of a transform.

    A map is the source's rows (or columns) that each row of the output repeats, int64 (N, H), or
    (1, H) where all images of the batch have the same.
    """

    def draw(self, count: int, generator: torch.Generator | None) -> Tensor:
        """Return what is random in it, int64 (N, d)."""

    def apply(self, rows: Tensor, cols: Tensor, drawn: Tensor) -> tuple[Tensor, Tensor]:
        """Return the maps after it."""


class _Padding:
    """Padding of all four sides.

    Args:
        size: Height and width before it, in pixels.
        sides: Pixels to the left, top, right and bottom, >= 0.
        mode: Kind of padding, as in :func:`pad_positions`.
        fill: Row and column of the source that hold the fill colour.
    """

    def __init__(
        self, size: tuple[int, int], sides: Sequence[int], mode: str, fill: tuple[int, int]
    ):
        left, top, right, bottom = sides
        places = (
            pad_positions(size[0], top, bottom, mode),
            pad_positions(size[1], left, right, mode),
        )
        # the filled line stands behind the others
        self.places = [
            torch.where(each == OUTSIDE, length, each)
            for each, length in zip(places, size, strict=True)
        ]
        self.fill = fill
        self.size = (len(self.places[0]), len(self.places[1]))

    def draw(self, count: int, generator: torch.Generator | None) -> Tensor:
        return torch.empty(count, 0, dtype=torch.long)

    def apply(self, rows: Tensor, cols: Tensor, drawn: Tensor) -> tuple[Tensor, Tensor]:
        found = []
        for lines, places, fill in zip((rows, cols), self.places, self.fill, strict=True):
            filled = lines.new_full((len(lines), 1), fill)
            found.append(torch.cat([lines, filled], dim=1)[:, places])
        return found[0], found[1]


class _Cropping:
    """A crop at a place that is fixed or drawn.

    Args:
        size: Height and width of the crop in pixels.
        first: Top and left of the first place.
        places: Numbers of places to the bottom and to the right, >= 1.
    """

    def __init__(self, size: tuple[int, int], first: tuple[int, int], places: tuple[int, int]):
        self.size = size
        self.first = first
        self.places = places

    def draw(self, count: int, generator: torch.Generator | None) -> Tensor:
        draws = [torch.randint(each, (count,), generator=generator) for each in self.places]
        return torch.stack(draws, dim=1)

    def apply(self, rows: Tensor, cols: Tensor, drawn: Tensor) -> tuple[Tensor, Tensor]:
        found = []
        for axis, lines in enumerate((rows, cols)):
            places = torch.arange(self.size[axis]) + self.first[axis]
            if self.places[axis] == 1:
                found.append(lines[:, places])
            else:
                wanted = drawn[:, axis, None] + places
                found.append(lines.expand(len(drawn), -1).gather(1, wanted))
        return found[0], found[1]


class _Flipping:
    """A flip in a direction that is drawn.

    Args:
        transform: Transform of MMCV.
        size: Height and width in pixels.
    """

    def __init__(self, transform: RandomFlip, size: tuple[int, int]):
        named, prob = transform.direction, transform.prob
        self.directions: list[str | None] = [named] if isinstance(named, str) else [*named]
        shares = (
            prob
            if isinstance(prob, list)
            else [prob / len(self.directions)] * len(self.directions)
        )
        self.edges = torch.tensor(shares, dtype=torch.float64).cumsum(0)
        self.directions.append(None)
        self.flips = [
            torch.tensor([direction in (axis, 'diagonal') for direction in self.directions])
            for axis in ('vertical', 'horizontal')
        ]
        self.size = size

    def draw(self, count: int, generator: torch.Generator | None) -> Tensor:
        draws = torch.rand(count, generator=generator, dtype=torch.float64)
        return torch.bucketize(draws, self.edges, right=True)[:, None]

    def apply(self, rows: Tensor, cols: Tensor, drawn: Tensor) -> tuple[Tensor, Tensor]:
        found = []
        for lines, flips in zip((rows, cols), self.flips, strict=True):
            if flips.any():
                lines = torch.where(flips[drawn], lines.flip(1), lines)
            found.append(lines)
        return found[0], found[1]


class Geometry:
    """Crops, flips and pads of a batch, one after the other.

    Args:
        transforms: Transforms, each of a class in :data:`GEOMETRIC`.
        shape: Shape of the images before them as arrays, ``(H, W)`` or ``(H, W, C)``.

    Attributes:
        size: Height and width of the images after them, in pixels.
        colours: Fill colours of constant padding, uint8 (K, C).
    """

    def __init__(self, transforms: Sequence[Any], shape: Sequence[int]):
        self._source = (shape[0], shape[1])
        self._channels = tuple(shape[2:])
        self.size = self._source
        self._colours: list[np.ndarray] = []
        self._steps: list[_Step] = []
        self._flip: int | None = None
        for transform in transforms:
            if isinstance(transform, RandomFlip):
                self._flip = len(self._steps)
                self._steps.append(_Flipping(transform, self.size))
            elif isinstance(transform, Pad):
                self._add_pad(transform)
            elif isinstance(transform, RandomCrop):
                self._add_random_crop(transform)
            else:
                self._add_center_crop(transform)
        colours = np.array(self._colours, dtype=np.uint8)
        self.colours = torch.from_numpy(colours.reshape(-1, math.prod(self._channels)))

    def draw(self, count: int, generator: torch.Generator | None = None) -> list[Tensor]:
        """Draw all that is random for a batch.

        Args:
            count: Number N of images, >= 0.
            generator: Source of randomness; torch's own by default.

        Returns:
            Draws of each step, int64 (N, d): places of a crop (d = 2), number of a flip's
            direction (d = 1), nothing for a padding (d = 0).
        """
        return [step.draw(count, generator) for step in self._steps]

    def maps(self, count: int, draws: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Return the rows and columns of the source that the pixels of a batch repeat.

        Args:
            count: Number N of images, >= 0.
            draws: Draws from :meth:`draw`.

        Returns:
            Rows (N, h) and columns (N, w), int64, for ``pick_pixels``.
        """
        rows, cols = (torch.arange(length)[None] for length in self._source)
        for step, drawn in zip(self._steps, draws, strict=True):
            rows, cols = step.apply(rows, cols, drawn)
        return rows.expand(count, -1), cols.expand(count, -1)

    def directions(self, draws: Sequence[Tensor]) -> list[str | None] | None:
        """Return the direction of each image's last flip, None for no flip; None without a flip.

        Args:
            draws: Draws from :meth:`draw`.
        """
        if self._flip is None:
            return None
        names = self._steps[self._flip].directions  # type: ignore[attr-defined]
        return [names[number] for number in draws[self._flip].flatten().tolist()]

    def _add(self, step: Any) -> None:
        self._steps.append(step)
        self.size = step.size

    def _add_padding(self, sides: Sequence[int], mode: str, value: Any) -> None:
        if not any(sides):
            return
        # what OpenCV makes of the value depends on its type and the number of channels
        pixel = np.zeros((1, 1, *self._channels), dtype=np.uint8)
        colour = mmcv.impad(pixel, padding=1, pad_val=value)[0, 0]
        if mode == 'constant' and not (
            self._colours and np.array_equal(self._colours[-1], colour)
        ):
            self._colours.append(colour)
        number = max(len(self._colours) - 1, 0)
        fill = (self._source[0] + number, self._source[1] + number)
        self._add(_Padding(self.size, sides, mode, fill))

    def _add_pad(self, pad: Pad) -> None:
        height, width = self.size
        wanted = (width, height) if pad.size is None else pad.size
        if pad.pad_to_square:
            wanted = (max(self.size),) * 2
        if pad.size_divisor is not None:
            wanted = tuple(math.ceil(n / pad.size_divisor) * pad.size_divisor for n in wanted)
        value = pad.pad_val.get('img', 0)
        if isinstance(value, int) and self._channels:
            value = (value,) * self._channels[0]
        right, bottom = max(wanted[0] - width, 0), max(wanted[1] - height, 0)
        self._add_padding((0, 0, right, bottom), pad.padding_mode, value)

    def _add_random_crop(self, crop: RandomCrop) -> None:
        if crop.padding is not None:
            given = crop.padding
            sides = (given,) * 4 if isinstance(given, int) else tuple(given)
            # MMPretrain uses its padding_mode only for pad_if_needed
            self._add_padding(sides * (4 // len(sides)), 'constant', crop.pad_val)
        if crop.pad_if_needed:
            lacking = (max(0, crop.crop_size[axis] - self.size[axis]) for axis in (1, 0))
            sides = tuple(math.ceil(pixels / 2) for pixels in lacking)
            self._add_padding(sides * 2, crop.padding_mode, crop.pad_val)
        height, width = (min(crop.crop_size[axis], self.size[axis]) for axis in (0, 1))
        places = (self.size[0] - height + 1, self.size[1] - width + 1)
        self._add(_Cropping((height, width), (0, 0), places))

    def _add_center_crop(self, crop: CenterCrop) -> None:
        width, height = (min(crop.crop_size[axis], self.size[1 - axis]) for axis in (0, 1))
        first = tuple(
            int(round((whole - part) / 2.0))
            for whole, part in zip(self.size, (height, width), strict=True)
        )
        self._add(_Cropping((height, width), (first[0], first[1]), (1, 1)))
