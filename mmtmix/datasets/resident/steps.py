"""Pads, crops and flips of a batch, each as a change of index maps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch
from mmcv.transforms import RandomFlip
from torch import Tensor

from mmtmix.functional.pixel_maps import OUTSIDE, pad_positions


class Step(Protocol):
    """A part of a transform.

    A map names the row of the source that each row of the output repeats, int64 (N, H). It is
    (1, H) where all images of the batch have the same rows. Columns have a map of their own.

    Attributes:
        size: Height and width of the images after it, in pixels.
    """

    size: tuple[int, int]

    def draw(self, count: int, generator: torch.Generator | None) -> Tensor:
        """Draw what is random for a batch, int64 (N, d); d is 0 where nothing is."""

    def apply(self, rows: Tensor, cols: Tensor, drawn: Tensor) -> tuple[Tensor, Tensor]:
        """Return the maps of rows and columns after this part."""


class Padding:
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


class Cropping:
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


class Flipping:
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
