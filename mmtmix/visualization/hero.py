"""One picture that shows at a glance what mixing does, for a page's head."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from torch import Tensor

from mmtmix.models.teachers import InputStats

from .grid import make_frame, write_text
from .images import denormalize, show_picture, to_array

# all in inches, for 100 dots per inch: 1200 dots wide
_SMALL, _LARGE, _MASK = 1.9, 2.2, 1.06
_GAP, _BLOCK, _MARGIN = 0.1, 0.5, 0.2
_FONT, _HEAD = 20, 0.48


@dataclass(frozen=True)
class HeroMix:
    """A mix of two images.

    Attributes:
        title: Name of the method.
        mixed: The mix, (C, H, W).
        masks: Masks of the two images, (2, H, W).
    """

    title: str
    mixed: Tensor
    masks: Tensor


def draw_hero(
    images: Tensor,
    saliency: np.ndarray,
    mixes: Sequence[HeroMix],
    stats: InputStats,
    saliency_title: str = 'Saliency',
    channel_order: str = 'rgb',
) -> Figure:
    """Draw two images with their saliency, and beside them the mixes above their masks.

    The background is white, so that the dark text is readable on pages of any colour.

    Args:
        images: The two images, normalised, (2, C, H, W).
        saliency: Their saliency in [0, 1], (2, h, w).
        mixes: Mixes of the two images, at least one.
        stats: Normalisation of the images.
        saliency_title: Name of the saliency.
        channel_order: Order of the channels, ``'rgb'`` or ``'bgr'``.

    Returns:
        The figure. Its axes are the images, their saliency, and then each mix with its masks.

    Raises:
        ValueError: If there are not exactly two images.
    """
    if len(images) != 2 or len(saliency) != 2:
        raise ValueError(
            f'images must be two with their saliency, got {len(images)} and {len(saliency)} maps'
        )
    start = _MARGIN + 2 * _SMALL + _GAP + _BLOCK
    width = start + len(mixes) * (_LARGE + 2 * _GAP) - 2 * _GAP + _MARGIN
    height = _MARGIN + _HEAD + 2 * _SMALL + _GAP + _MARGIN  # of the photos, and of the mixes
    figure = Figure(figsize=(width, height), facecolor='white')
    top = _MARGIN + _HEAD
    pictures = denormalize(images, stats, channel_order)
    for column, title in enumerate(('Two photos', saliency_title)):
        x = _MARGIN + column * (_SMALL + _GAP)
        _write_title(figure, x + _SMALL / 2, top, title)
        for row in range(2):
            heat = saliency[row] if column else None
            y = top + row * (_SMALL + _GAP)
            _show(figure, (x, y, _SMALL), pictures[row], heat)
    for number, mix in enumerate(mixes):
        x = start + number * (_LARGE + 2 * _GAP)
        _write_title(figure, x + _LARGE / 2, top, mix.title)
        _show(figure, (x, top, _LARGE), denormalize(mix.mixed, stats, channel_order))
        for place, mask in enumerate(to_array(mix.masks)):
            y = height - _MARGIN - _MASK
            _show(figure, (x + place * (_LARGE - _MASK), y, _MASK), mask)
    y = (top + _LARGE + height - _MARGIN - _MASK) / 2
    write_text(figure, start, y, 'Masks', _FONT - 4, ha='left', va='center', color='0.25')
    return figure


def _show(
    figure: Figure,
    place: tuple[float, float, float],
    picture: np.ndarray,
    heat: np.ndarray | None = None,
) -> None:
    """Show a picture in a square at left, top and side in inches."""
    x, y, side = place
    width, height = figure.get_size_inches()
    corner = x / width, 1 - (y + side) / height
    axes = figure.add_axes((*corner, side / width, side / height))
    make_frame(axes)
    show_picture(axes, picture, heat)


def _write_title(figure: Figure, x: float, top: float, title: str) -> None:
    write_text(figure, x, top - 0.08, title, _FONT, ha='center', va='bottom')
