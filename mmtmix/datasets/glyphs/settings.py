"""What the images of Glyphs look like, and the defaults: the one place where they stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from mmtmix.checks import (
    check_choice,
    check_flag,
    check_integer,
    check_number,
    check_numbers,
)

STYLES: dict[str, tuple[str, ...]] = dict(
    train=('noto', 'noto-v1', 'twemoji', 'emojione'),
    val=('fluent-emoji-flat',),
    test=('fxemoji',),
)
"""Drawing styles of each split by default: those of the test are in no other split."""
NUM_IMAGES = dict(train=3000, val=1000, test=2000)
"""Number of images of each split by default."""
NUM_CLASSES = 100
"""Number of classes by default."""

Range = Sequence[float]


@dataclass(frozen=True)
class Scene:
    """Settings of the images of Glyphs.

    Args:
        size: Side of the images in pixels, 8 to 512.
        object_size: Smallest and largest side of an object, as shares of the image's side, above
            0 to 1.
        place: Place of the objects: ``'anywhere'`` that they lie inside the image, or
            ``'centre'``.
        turn: Largest turn of an object to either side, in degrees, 0 to 180.
        flip: Whether half of the objects are mirrored.
        jitter: Strength of the change of an object's colours, 0 to 1: the saturation and the
            contrast change by a factor of up to 1 +- jitter, the brightness by up to a quarter of
            it, and the hue by up to 60 degrees times it.
        opacity: Smallest and largest opacity of an object, above 0 to 1.
        objects: Number of objects of the class, 1 to 50; all lie anywhere if there are several.
        background: Kind of background: ``'photo'``, a part of one, or ``'plain'``, a colour.
        zoom: Smallest and largest side of the part of a photo, as shares of the photo's side,
            above 0 to 1.
        clutter: Number of pieces behind the objects, 0 to 100: parts of glyphs of classes that
            are not in the task, or of photos of the split.
        occluders: Number of such pieces in front of the objects, 0 to 100. Where they leave too
            little to see, they are left out.
        clutter_size: Smallest and largest side of a piece's longer side, as shares of the image's
            side, above 0 to 1.
        clutter_part: Smallest and largest side of a piece, as shares of the glyph that it is cut
            from, above 0 to 1; 1 is a whole glyph.
        photo_share: Share of the pieces that are parts of photos, 0 to 1. It is 1 where no class
            is left over.
        min_visible: Smallest share of the objects' pixels that occluders leave, 0 to 1.
        noise: Standard deviation of the noise of each pixel and channel, 0 to 255.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range.
    """

    size: int = 32
    object_size: Range = (0.35, 0.6)
    place: str = 'anywhere'
    turn: float = 15.0
    flip: bool = True
    jitter: float = 0.2
    opacity: Range = (1.0, 1.0)
    objects: int = 1
    background: str = 'photo'
    zoom: Range = (0.3, 1.0)
    clutter: int = 4
    occluders: int = 0
    clutter_size: Range = (0.15, 0.4)
    clutter_part: Range = (0.4, 0.8)
    photo_share: float = 0.25
    min_visible: float = 0.4
    noise: float = 0.0

    def __post_init__(self) -> None:
        check_integer('size', self.size, 8, 512)
        for name in ('object_size', 'opacity', 'zoom', 'clutter_size', 'clutter_part'):
            cure = 'it is the smallest and the largest share'
            check_numbers(name, getattr(self, name), 2, most=1, above=0, ordered=True, cure=cure)
        check_choice('place', self.place, ('anywhere', 'centre'))
        check_number('turn', self.turn, 0, 180)
        check_flag('flip', self.flip)
        for name in ('jitter', 'photo_share', 'min_visible'):
            check_number(name, getattr(self, name), 0, 1)
        check_integer('objects', self.objects, 1, 50)
        check_choice('background', self.background, ('photo', 'plain'))
        for name in ('clutter', 'occluders'):
            check_integer(name, getattr(self, name), 0, 100)
        check_number('noise', self.noise, 0, 255)


SCENE_ARGUMENTS = tuple(each.name for each in fields(Scene))


def split_settings(given: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Divide keyword arguments into those of :class:`Scene` and others.

    Args:
        given: Arguments by name.
    """
    scene = {name: value for name, value in given.items() if name in SCENE_ARGUMENTS}
    return scene, {name: value for name, value in given.items() if name not in scene}
