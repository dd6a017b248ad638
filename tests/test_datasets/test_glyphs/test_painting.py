"""Painted pieces against a loop over pixels."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mmtmix.datasets.glyphs.atlas import Atlas, cut_backgrounds
from mmtmix.datasets.glyphs.painting import Canvas, Pieces, margin_of

SIDE, SIZE = 12, 16
WHOLE = (-1.0, -1.0, 2.0, 2.0)


@pytest.fixture(scope='module')
def pictures():
    """Three pictures with smooth colours and an opacity of holes."""
    generator = np.random.default_rng(0)
    return generator.integers(0, 256, (3, SIDE, SIDE, 4)).astype(np.uint8)


def piece(picture=1, **changes):
    """One piece in image 0, drawn at the atlas's own size."""
    given = dict(x=7.3, y=9.1, angle=0.0, mirror=1, window=WHOLE, opacity=1.0, mark=3, light=0.0)
    given |= dict(colour=np.eye(3), pixels=float(SIDE)) | changes
    fields = {name: np.array([value]) for name, value in given.items()}
    fields['mark'] = fields['mark'].astype(np.uint8)
    start = picture * (SIDE + 2) ** 2  # of the first level
    return Pieces(image=np.array([0]), start=np.array([start]), side=np.array([SIDE]), **fields)


def reference(image, picture, x, y, angle, mirror, window, opacity, mark, light, colour, pixels):
    """Paint a piece pixel by pixel, in float64."""
    image, marks = image.astype(float).copy(), np.zeros(image.shape[:2], int)
    alpha = picture[..., 3] / 255
    premultiplied = [picture[..., channel] * alpha for channel in range(3)] + [alpha]

    def texel(layer, row, column):
        inside = 0 <= row < SIDE and 0 <= column < SIDE
        return layer[row, column] if inside else 0.0

    def sample(layer, left, top):
        left, top = left - 0.5, top - 0.5
        column, row = math.floor(left), math.floor(top)
        total = 0.0
        for down in (0, 1):
            for right in (0, 1):
                weight = abs(1 - right - (left - column)) * abs(1 - down - (top - row))
                total += weight * texel(layer, row + down, column + right)
        return total

    scale = SIDE / pixels
    for row in range(SIZE):
        for column in range(SIZE):
            dx, dy = column + 0.5 - x, row + 0.5 - y
            u = (dx * math.cos(angle) + dy * math.sin(angle)) * mirror * scale
            v = (dy * math.cos(angle) - dx * math.sin(angle)) * scale
            u += (window[0] + window[2]) / 2 * SIDE
            v += (window[1] + window[3]) / 2 * SIDE
            red, green, blue, cover = (sample(layer, u, v) for layer in premultiplied)
            if window != WHOLE:
                bounds = [each * SIDE for each in window]
                near = min(u - bounds[0], bounds[2] - u, v - bounds[1], bounds[3] - v)
                part = min(max(near / scale + 0.5, 0), 1)
                red, green, blue, cover = (part * each for each in (red, green, blue, cover))
            for channel in range(3):
                mixed = red * colour[0, channel] + green * colour[1, channel]
                mixed += blue * colour[2, channel] + light * cover
                mixed = min(max(mixed, 0), 255 * cover)
                old = image[row, column, channel]
                image[row, column, channel] = old * (1 - cover * opacity) + mixed * opacity
            if cover >= 0.5:
                marks[row, column] = mark
    return image, marks


CASES = {
    'as it is': {},
    'turned': dict(angle=0.7),
    'mirrored and turned': dict(angle=-2.0, mirror=-1),
    'beyond the border': dict(x=0.4, y=15.8, angle=1.0),
    'half transparent': dict(opacity=0.5),
    'a part': dict(window=(0.2, 0.1, 0.7, 0.9), angle=0.3),
    'a mirrored part': dict(window=(0.0, 0.4, 0.6, 1.0), mirror=-1),
    'enlarged': dict(pixels=20.0, angle=0.2),
    'other colours': dict(colour=np.array([[0.5, 0.2, 0], [0.1, 1.4, 0], [0, 0, 1]]), light=30.0),
}


@pytest.mark.parametrize('case', CASES)
def test_a_piece_is_what_a_loop_over_pixels_paints(pictures, case):
    atlas, pieces = Atlas(pictures), piece(**CASES[case])
    image = np.random.default_rng(1).uniform(0, 255, (2, SIZE, SIZE, 3)).astype(np.float32)
    canvas = Canvas(image, margin_of([pieces]))
    canvas.paint(atlas, pieces)
    given = {name: getattr(pieces, name)[0] for name in vars(pieces)}
    given = {k: v for k, v in given.items() if k not in ('image', 'start', 'side')}
    given['window'] = tuple(given['window'])
    wanted, marks = reference(image[0], pictures[1], **given)
    np.testing.assert_allclose(canvas.images[0], wanted, atol=2e-3)
    np.testing.assert_array_equal(canvas.marks[0], marks)
    np.testing.assert_array_equal(canvas.images[1], image[1])  # no piece


def test_pictures_are_read_at_the_closest_size(pictures):
    atlas = Atlas(pictures)
    assert atlas.sides == [12, 6]
    starts, sides = atlas.place(np.array([2, 2, 0, 1]), np.array([30, 8.6, 8.4, 1]))
    assert sides.tolist() == [12, 12, 6, 6]
    first = 3 * 14**2
    assert starts.tolist() == [2 * 14**2, 2 * 14**2, first, first + 8**2]
    small = atlas.table[first : first + 64].reshape(8, 8, 4)
    opacity = pictures[0, :2, :2, 3] / 255
    assert small[1, 1, 3] == pytest.approx(opacity.mean())
    assert small[1, 1, 0] == pytest.approx((opacity * pictures[0, :2, :2, 0]).mean(), rel=1e-5)
    assert not small[0].any() and not small[:, 7].any()


def test_backgrounds_are_squares_of_the_picture(pictures):
    photos = pictures[..., :3]
    atlas = Atlas(photos)
    whole = [np.array(each) for each in ([1, 2], [0.0, 0.5], [0.0, 0.25], [1.0, 0.5])]
    found = cut_backgrounds(atlas, SIDE, whole, np.array([1, -1]))
    np.testing.assert_allclose(found[0], photos[1], atol=1e-3)
    # the second enlarges a quarter, mirrored: pixel 0 is at 11.75 of 12 from the left
    inner = photos[2].astype(float)
    column, row = 11.75 - 0.5, 3.25 - 0.5
    right, down = column - 11, row - 2
    wanted = (1 - down) * inner[2, 11] + down * inner[3, 11]
    assert right == 0.25  # beyond the last centre, the border repeats
    np.testing.assert_allclose(found[1, 0, 0], wanted, atol=1e-3)
