"""MMPretrain's crops, flips and pads of one image, as index maps of a batch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import mmcv
import numpy as np
import torch
from mmcv.transforms import CenterCrop, Pad, RandomFlip
from mmpretrain.datasets import RandomCrop
from torch import Tensor

from .steps import Cropping, Flipping, Padding, Step

GEOMETRIC = (RandomFlip, RandomCrop, Pad, CenterCrop)
"""Transforms that :class:`Geometry` does for a batch."""


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
        self._steps: list[Step] = []
        self._flip: int | None = None
        for transform in transforms:
            if isinstance(transform, RandomFlip):
                self._flip = len(self._steps)
                self._steps.append(Flipping(transform, self.size))
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

    def _add(self, step: Step) -> None:
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
        self._add(Padding(self.size, sides, mode, fill))

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
        self._add(Cropping((height, width), (0, 0), places))

    def _add_center_crop(self, crop: CenterCrop) -> None:
        width, height = (min(crop.crop_size[axis], self.size[1 - axis]) for axis in (0, 1))
        first = tuple(
            int(round((whole - part) / 2.0))
            for whole, part in zip(self.size, (height, width), strict=True)
        )
        self._add(Cropping((height, width), (first[0], first[1]), (1, 1)))
