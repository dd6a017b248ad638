"""Make the images of Glyphs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .atlas import Atlas, cut_backgrounds
from .bundle import Bundle
from .draws import Draws
from .painting import Canvas, Pieces, margin_of
from .settings import Scene

STREAMS = ('train', 'val', 'test')
_CHUNK = 256
_WHOLE = (-1.0, -1.0, 2.0, 2.0)  # of which the ring around a picture ends it
_GREY = np.array([0.299, 0.587, 0.114])
# first slots of the draws; each piece has _PER_PIECE
_BACKGROUND, _NOISE, _OBJECTS, _CLUTTER, _OCCLUDERS = 0, 50, 100, 10_000, 20_000
_PER_PIECE = 50


@dataclass(frozen=True)
class Images:
    """Images with their objects.

    Attributes:
        pixels: Images in RGB, uint8 (N, size, size, 3).
        marks: Number of the object that is in front at each pixel, from 1, and 0 where there is
            none, uint8 (N, size, size).
    """

    pixels: NDArray[np.uint8]
    marks: NDArray[np.uint8]


class SceneMaker:
    """Makes images from settings, each from its number alone.

    Image n is of class n modulo ``num_classes``.

    Args:
        bundle: Icons and photos.
        scene: Settings.
        split: Name of the split, whose photos are used.
        styles: Names of the drawing styles, at least one.
        num_classes: Number of classes, 1 to all.
        seed: Seed, >= 0.
    """

    def __init__(
        self,
        bundle: Bundle,
        scene: Scene,
        split: str,
        styles: Sequence[str],
        num_classes: int,
        seed: int,
    ):
        self.scene = scene
        self.stream = STREAMS.index(split)
        self.seed = seed
        self.num_classes = num_classes
        self.num_styles = len(styles)
        self.num_all = len(bundle.classes)
        self._glyphs = Atlas(np.concatenate([bundle.glyphs[style] for style in styles]))
        own = [each == split for each in bundle.splits]
        self._photos = Atlas(bundle.photos[own])
        self._num_photos = sum(own)

    def make(self, count: int) -> Images:
        """Make the first images.

        Args:
            count: Number of images, >= 1.
        """
        size = self.scene.size
        pixels = np.empty((count, size, size, 3), np.uint8)
        marks = np.empty((count, size, size), np.uint8)
        for begin in range(0, count, _CHUNK):
            numbers = np.arange(begin, min(begin + _CHUNK, count))
            pixels[numbers], marks[numbers] = self._make(numbers)
        return Images(pixels, marks)

    def _make(self, numbers: NDArray[np.int64]) -> tuple[NDArray, NDArray]:
        scene, draws = self.scene, Draws(self.seed, self.stream, numbers)
        objects = [self._object(draws, numbers, each) for each in range(scene.objects)]
        behind = [
            self._clutter(draws, _CLUTTER + each * _PER_PIECE) for each in range(scene.clutter)
        ]
        before = [
            self._clutter(draws, _OCCLUDERS + each * _PER_PIECE, objects[each % len(objects)])
            for each in range(scene.occluders)
        ]
        margin = margin_of([*objects, *(piece for _, piece in (*behind, *before))])
        canvas = Canvas(self._background(draws, len(numbers)), margin)
        for kinds, pieces in behind:
            self._paint(canvas, kinds, pieces)
        for pieces in objects:
            canvas.paint(self._glyphs, pieces)
        if before:
            canvas = self._occlude(canvas, before)
        images = canvas.images
        if scene.noise:
            noise = draws.normal(_NOISE, images[0].size).reshape(images.shape)
            images = images + np.float32(scene.noise) * noise
        return np.rint(images.clip(0, 255)).astype(np.uint8), canvas.marks

    def _occlude(self, canvas: Canvas, before: list[tuple[NDArray, Pieces]]) -> Canvas:
        """Return a canvas with occluders where they leave enough of the objects."""
        free = canvas.copy()
        for kinds, pieces in before:
            self._paint(canvas, kinds, pieces)
        left, whole = ((each.marks > 0).sum((1, 2)) for each in (canvas, free))
        hidden = left < np.maximum(self.scene.min_visible * whole, 1)
        canvas.replace(hidden, free)
        return canvas

    def _paint(self, canvas: Canvas, is_photo: NDArray, pieces: Pieces) -> None:
        for chosen, atlas in ((~is_photo, self._glyphs), (is_photo, self._photos)):
            if chosen.any():
                canvas.paint(atlas, pieces.pick(chosen))

    def _background(self, draws: Draws, count: int) -> NDArray[np.float32]:
        size, slot = self.scene.size, _BACKGROUND
        if self.scene.background == 'plain':
            colours = [draws.uniform(slot + each, 0, 255) for each in range(3)]
            plain = np.stack(colours, axis=1).astype(np.float32)
            return np.broadcast_to(plain[:, None, None], (count, size, size, 3))
        part = draws.uniform(slot, *self.scene.zoom)
        left, top = (draws.uniform(slot + 1 + each) * (1 - part) for each in range(2))
        number = draws.integer(slot + 3, self._num_photos)
        mirror = np.where(draws.uniform(slot + 4) < 0.5, -1, 1)
        images = cut_backgrounds(self._photos, size, (number, left, top, part), mirror)
        colour, light = _colours(draws, slot + 5, self.scene.jitter)
        mixed = light.astype(np.float32)[:, None, None, None]
        for channel in range(3):
            factors = colour[:, channel].astype(np.float32)[:, None, None]
            mixed = mixed + images[..., channel, None] * factors
        return mixed.clip(0, 255)

    def _object(self, draws: Draws, numbers: NDArray[np.int64], number: int) -> Pieces:
        scene, slot = self.scene, _OBJECTS + number * _PER_PIECE
        count, size = len(numbers), scene.size
        share = draws.uniform(slot, *scene.object_size)
        if scene.place == 'anywhere' or scene.objects > 1:
            x, y = (
                size * (share / 2 + draws.uniform(slot + 1 + axis) * (1 - share))
                for axis in range(2)
            )
        else:
            x = y = np.full(count, size / 2)
        style = draws.integer(slot + 3, self.num_styles)
        picture = style * self.num_all + numbers % self.num_classes
        start, side = self._glyphs.place(picture, share * size)
        colour, light = _colours(draws, slot + 10, scene.jitter)
        mirrored = (draws.uniform(slot + 4) < 0.5) & scene.flip
        return Pieces(
            image=np.arange(count),
            start=start,
            side=side,
            x=x,
            y=y,
            pixels=share * size,
            angle=np.deg2rad(draws.uniform(slot + 5, -scene.turn, scene.turn)),
            mirror=np.where(mirrored, -1, 1),
            window=np.tile(_WHOLE, (count, 1)),
            colour=colour,
            light=light,
            opacity=draws.uniform(slot + 6, *scene.opacity),
            mark=np.full(count, number + 1, np.uint8),
        )

    def _clutter(
        self, draws: Draws, slot: int, around: Pieces | None = None
    ) -> tuple[NDArray[np.bool_], Pieces]:
        """Return which pieces are of photos, and the pieces: anywhere, or in front of objects."""
        scene = self.scene
        others = self.num_all - self.num_classes
        is_photo = draws.uniform(slot) < (scene.photo_share if others else 1)
        count, size = len(is_photo), scene.size
        longer = draws.uniform(slot + 1, *scene.clutter_size) * size
        part = draws.uniform(slot + 2, *scene.clutter_part)
        ratio = draws.uniform(slot + 3, 0.5, 1)  # of the shorter side to the longer
        wide = draws.uniform(slot + 4) < 0.5
        spans = np.stack([np.where(wide, 1, ratio), np.where(wide, ratio, 1)], axis=1)
        spans *= part[:, None]
        corner = np.stack([draws.uniform(slot + 5 + axis) for axis in range(2)], axis=1)
        corner *= 1 - spans
        pixels = longer / part
        places = [draws.uniform(slot + 7 + axis) for axis in range(2)]
        if around is None:
            x, y = (place * size for place in places)
        else:
            half = around.pixels / 2
            x, y = (
                middle + (2 * place - 1) * half
                for middle, place in zip((around.x, around.y), places, strict=True)
            )
        style = draws.integer(slot + 9, self.num_styles)
        glyph = style * self.num_all + self.num_classes + draws.integer(slot + 10, others or 1)
        photo = draws.integer(slot + 11, self._num_photos)
        colour, light = _colours(draws, slot + 20, scene.jitter)
        start, side = np.where(
            is_photo,
            self._photos.place(photo, pixels),
            self._glyphs.place(np.minimum(glyph, self.num_styles * self.num_all - 1), pixels),
        )
        return is_photo, Pieces(
            image=np.arange(count),
            start=start,
            side=side,
            x=x,
            y=y,
            pixels=pixels,
            angle=draws.uniform(slot + 12, -np.pi, np.pi),
            mirror=np.where(draws.uniform(slot + 13) < 0.5, -1, 1),
            window=np.concatenate([corner, corner + spans], axis=1),
            colour=colour,
            light=light,
            opacity=np.ones(count),
            mark=np.zeros(count, np.uint8),
        )


def _colours(draws: Draws, slot: int, strength: float) -> tuple[NDArray, NDArray]:
    """Draw changes of colours: matrices (N, 3, 3), from input to output, and grey to add (N,)."""
    saturation = draws.uniform(slot, 1 - strength, 1 + strength)
    contrast = draws.uniform(slot + 1, 1 - strength, 1 + strength)
    brightness = draws.uniform(slot + 2, -strength / 4, strength / 4) * 255
    hue = np.deg2rad(draws.uniform(slot + 3, -60, 60) * strength)
    count = len(hue)
    # a turn around the axis of greys, by Rodrigues' formula
    cross = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / 3**0.5
    cosine, sine = np.cos(hue)[:, None, None], np.sin(hue)[:, None, None]
    turn = cosine * np.eye(3) + sine * cross + (1 - cosine) / 3
    grey = np.broadcast_to(_GREY[:, None], (count, 3, 3))  # each channel becomes the grey
    mixed = saturation[:, None, None] * turn + (1 - saturation)[:, None, None] * grey
    return contrast[:, None, None] * mixed, 127.5 * (1 - contrast) + brightness
