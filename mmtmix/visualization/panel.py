"""How mixes were made, step by step (TransformMix, Figures 3, 6, 8 and 9)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from torch import Tensor

from mmtmix.models.batch_augments.batch_mixer import Details
from mmtmix.models.teachers import InputStats

from .grid import Group, image_grid
from .images import denormalize, show_picture, to_array
from .labels import check_rows, image_numbers, mix_label

LAYOUTS = ('rows', 'columns')
_NEEDED = ('weights', 'index', 'saliency', 'warped', 'masks')


def draw_panel(
    batch_inputs: Tensor,
    mixed: Tensor,
    details: Details,
    stats: InputStats,
    names: Sequence[str] | None = None,
    rows: Sequence[int] | None = None,
    layout: str = 'rows',
    channel_order: str = 'rgb',
) -> Figure:
    """Draw inputs, CAMs, transformed images, masks and the mix of each sample.

    Args:
        batch_inputs: The batch that was mixed, normalised, (N, C, H, W).
        mixed: What a :class:`~mmtmix.models.BatchMixer` made of it, (N, C, H, W).
        details: How: what the mixer returns with ``return_details=True``. Images of mixes come in
            the order of ``details['index']``, the sample's own first.
        stats: How the batch is normalised.
        names: Name of each image's class, N.
        rows: The samples to draw; all by default.
        layout: ``'rows'`` draws a mix a row (Figure 3), ``'columns'`` a mix a column (Figure 8).
        channel_order: Of the normalised images, see :func:`denormalize`.

    Returns:
        The figure. Its axes come row by row.

    Raises:
        ValueError: If details are missing or an argument doesn't fit the batch.
    """
    _check(details, layout)
    rows = check_rows(rows, names, len(batch_inputs))
    chosen = {name: details[name][rows] for name in _NEEDED}
    index, weights = chosen['index'], chosen['weights']
    separator = ' ' if layout == 'rows' else '\n'  # columns are narrow
    labels = [
        mix_label(images, names, shares, separator)
        for images, shares in zip(index, weights, strict=True)
    ]
    steps = _steps(batch_inputs[index], mixed[rows], chosen, stats, channel_order)
    groups = [Group(image_numbers(pictures.shape[1]), title) for title, pictures, _ in steps]
    figure, axes = _frames(groups, labels, layout, batch_inputs.size(-2) / batch_inputs.size(-1))
    for row, line in enumerate(axes):
        cells = iter(line)
        for _, pictures, cams in steps:
            for j, picture in enumerate(pictures[row]):
                show_picture(next(cells), picture, None if cams is None else cams[row, j])
    return figure


def _steps(
    inputs: Tensor, mixed: Tensor, details: Details, stats: InputStats, channel_order: str
) -> list[tuple[str, np.ndarray, np.ndarray | None]]:
    """Title, pictures (N, k, H, W[, 3]) and saliency (N, k, h, w) or None of each step."""
    pictures, warped, mixes = (
        denormalize(images, stats, channel_order)
        for images in (inputs, details['warped'], mixed[:, None])
    )
    saliency, masks = (to_array(details[name])[:, :, 0] for name in ('saliency', 'masks'))
    return [
        ('Input', pictures, None),
        ('CAM', pictures, saliency),
        ('Transformed', warped, None),
        ('Mask', masks, None),
        ('Mix', mixes, None),
    ]


def _frames(
    groups: list[Group], labels: list[str], layout: str, aspect: float
) -> tuple[Figure, np.ndarray]:
    """The figure and its axes, (mixes, steps), whichever way they lie in it."""
    if layout == 'rows':
        return image_grid(groups, [Group(labels)], aspect)
    beside = [Group([f'{g.title} {number}'.strip() for number in g.labels]) for g in groups]
    figure, axes = image_grid([Group(labels)], beside, aspect)
    return figure, axes.T


def _check(details: Details, layout: str) -> None:
    if layout not in LAYOUTS:
        raise ValueError(f'layout must be one of {LAYOUTS}, got {layout!r}')
    missing = [name for name in _NEEDED if name not in details]
    if missing:
        raise ValueError(
            f'details lack {", ".join(missing)}; give the third value of a mixer called with '
            'return_details=True'
        )
