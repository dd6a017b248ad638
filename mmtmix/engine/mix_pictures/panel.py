"""Draw blocks of mixes by Pillow, in some hundredths of a second."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from .samples import MixBlock

# all in pixels
CELL = 72
_GAP, _GROUP_GAP, _MARGIN = 4, 16, 8
_LINE, _FONT_SIZE = 15, 11
_LABEL_WIDTH = (110, 230)  # narrowest and widest
_INK, _PALE, _FRAME = (20, 20, 20), (110, 110, 110), (190, 190, 190)
_HEAT = 0.45  # share of saliency's colours in its pictures


def draw_blocks(blocks: Sequence[MixBlock], heading: str) -> np.ndarray:
    """Draw blocks of mixes, one below the other.

    Images whose longer side is above 72 pixels are made smaller, and those of at most 36 larger by
    a whole factor.

    Args:
        blocks: Blocks, at least one.
        heading: Line above them, such as the epoch.

    Returns:
        The picture, RGB uint8 (H, W, 3).
    """
    parts = [_draw_block(block) for block in blocks]
    width = max(*(part.width for part in parts), 2 * _MARGIN + _text_width(heading))
    top = _MARGIN + _LINE + _GAP
    picture = Image.new('RGB', (width, top + sum(part.height for part in parts)), 'white')
    ImageDraw.Draw(picture).text((_MARGIN, _MARGIN), heading, fill=_INK, font=_font())
    for part in parts:
        picture.paste(part, (0, top))
        top += part.height
    return np.asarray(picture)


def _draw_block(block: MixBlock) -> Image.Image:
    tiles = {title: _tiles(pictures) for title, pictures in block.columns.items()}
    if block.heat is not None:
        tiles[block.heat_column] = _heated(tiles[block.heat_column], block.heat)
    height, width = next(iter(tiles.values())).shape[2:4]
    column = max(width, 40)  # a title of one word fits above
    lines = [line for own in block.labels for line in own]
    left = min(max([_LABEL_WIDTH[0], *map(_text_width, lines)]), _LABEL_WIDTH[1])
    x = _MARGIN + left + _GROUP_GAP
    top = _MARGIN + 2 * _LINE
    tops = [top]
    for own in block.labels:
        tops.append(tops[-1] + max(height, _LINE * len(own)) + _GAP)
    total = x + sum(
        (column + _GAP) * group.shape[1] + _GROUP_GAP - _GAP for group in tiles.values()
    )
    size = (total, tops[-1] + _MARGIN)
    picture = Image.new('RGB', size, 'white')
    pen = ImageDraw.Draw(picture)
    pen.text((_MARGIN, _MARGIN), fitted(block.title, left), fill=_INK, font=_font())
    for row, own in enumerate(block.labels):
        for number, line in enumerate(own):
            place = (_MARGIN, tops[row] + number * _LINE)
            pen.text(place, fitted(line, left), fill=_INK, font=_font())
    for title, group in tiles.items():
        room = (column + _GAP) * group.shape[1] + _GROUP_GAP - 2 * _GAP
        pen.text((x, _MARGIN), fitted(title, room), fill=_INK, font=_font())
        for k in range(group.shape[1]):
            if group.shape[1] > 1:
                pen.text((x, _MARGIN + _LINE), str(k + 1), fill=_PALE, font=_font())
            for row in range(len(group)):
                y = tops[row]
                # a frame, since masks and photos may be white at their edges
                pen.rectangle((x - 1, y - 1, x + width, y + height), outline=_FRAME)
                picture.paste(Image.fromarray(group[row, k]), (x, y))
            x += column + _GAP
        x += _GROUP_GAP - _GAP
    return picture


def fitted(text: str, width: int) -> str:
    """Return a text, cut with an ellipsis where it is wider than ``width`` pixels.

    Args:
        text: Text of one line.
        width: Largest width in pixels, >= 1.
    """
    if _text_width(text) <= width:
        return text
    few, many = 0, len(text)
    while few < many:  # the longest beginning that fits
        middle = (few + many + 1) // 2
        if _text_width(text[:middle].rstrip() + '…') <= width:
            few = middle
        else:
            many = middle - 1
    return text[:few].rstrip() + '…'


def _tiles(pictures: np.ndarray) -> np.ndarray:
    """Return pictures (R, k, H, W[, 3]) in [0, 1] as RGB tiles (R, k, h, w, 3), uint8."""
    pixels = np.rint(pictures * 255).astype(np.uint8)
    if pixels.ndim == 4:
        pixels = np.repeat(pixels[..., None], 3, axis=-1)
    rows, count, height, width = pixels.shape[:4]
    longer = max(height, width)
    if longer > CELL:
        scale, how = CELL / longer, cv2.INTER_AREA
    else:
        scale, how = max(1, CELL // longer), cv2.INTER_NEAREST
    size = max(1, round(width * scale)), max(1, round(height * scale))
    if size != (width, height):
        flat = pixels.reshape(-1, height, width, 3)
        resized = [cv2.resize(np.ascontiguousarray(one), size, interpolation=how) for one in flat]
        pixels = np.stack(resized).reshape(rows, count, size[1], size[0], 3)
    return pixels


def _heated(tiles: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """Return tiles with saliency (R, k, h, w) in [0, 1] as a heat map on them."""
    height, width = tiles.shape[2:4]
    result = np.empty_like(tiles)
    for row, k in np.ndindex(tiles.shape[:2]):
        large = cv2.resize(heat[row, k], (width, height), interpolation=cv2.INTER_LINEAR)
        levels = np.rint(large.clip(0, 1) * 255).astype(np.uint8)
        colours = cv2.applyColorMap(levels, cv2.COLORMAP_JET)[..., ::-1]
        result[row, k] = np.rint((1 - _HEAT) * tiles[row, k] + _HEAT * colours)
    return result


@cache
def _font() -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return the font that matplotlib ships, which it is found by without an import."""
    spec = find_spec('matplotlib')
    if spec is not None and spec.origin:
        path = Path(spec.origin).parent / 'mpl-data' / 'fonts' / 'ttf' / 'DejaVuSans.ttf'
        if path.is_file():
            return ImageFont.truetype(str(path), _FONT_SIZE)
    return ImageFont.load_default()


def _text_width(text: str) -> int:
    return int(_font().getlength(text)) + 1
