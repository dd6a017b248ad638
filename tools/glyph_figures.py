"""The picture of Glyphs in the documentation, for tools/draw_figures.py."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from mmtmix.datasets import Glyphs
from mmtmix.datasets.glyphs.bundle import load_bundle
from mmtmix.datasets.glyphs.settings import STYLES

COLUMNS = 14
_SIDE = 48


def draw_glyphs() -> list[Figure]:
    """Draw icons of each style, and images of each split above their masks."""
    return [_draw_icons(), _draw_images()]


def _draw_icons() -> Figure:
    bundle = load_bundle()
    rows = {}
    for split, styles in STYLES.items():
        for style in styles:
            icons = bundle.glyphs[style][:COLUMNS].astype(float)
            cover = icons[..., 3:] / 255
            rows[f'{style}\n({split})'] = icons[..., :3] * cover + 255 * (1 - cover)
    names = [name.replace('_', '\n') for name in bundle.classes[:COLUMNS]]
    return _draw(rows, names)


def _draw_images() -> Figure:
    rows = {}
    for split in STYLES:
        items = [*Glyphs(split, num_images=COLUMNS, size=_SIDE)]
        rows[split] = np.stack([item['img'] for item in items]).astype(float)
        masks = np.stack([item['gt_mask'] for item in items])
        rows[f'{split},\nmask'] = np.repeat(masks[..., None] * 255.0, 3, axis=-1)
    return _draw(rows, [''] * COLUMNS)


def _draw(rows: dict[str, np.ndarray], names: list[str]) -> Figure:
    figure = Figure(figsize=(COLUMNS * 0.62 + 1.3, len(rows) * 0.62 + 0.45))
    grid = figure.subplots(len(rows), COLUMNS, squeeze=False)
    for line, (label, pictures) in zip(grid, rows.items(), strict=True):
        for axes, picture in zip(line, pictures, strict=True):
            axes.imshow(picture.round().astype(np.uint8), interpolation='nearest')
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set_visible(False)
        line[0].set_ylabel(label, rotation=0, ha='right', va='center', fontsize=8)
    for axes, name in zip(grid[0], names, strict=True):
        axes.set_title(name, fontsize=7)
    figure.subplots_adjust(0.125, 0.01, 0.995, 0.9 if any(names) else 0.99, 0.04, 0.04)
    return figure
