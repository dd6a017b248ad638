"""Mixes of the same images by several augments (as TransformMix, Figure 1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from torch import Tensor

from mmtmix.models.teachers import InputStats

from .grid import Group, image_grid
from .images import denormalize, show_picture
from .labels import check_rows, image_numbers, mix_labels


def draw_gallery(
    batch_inputs: Tensor,
    weights: Tensor,
    index: Tensor,
    mixes: Mapping[str, Tensor],
    stats: InputStats,
    names: Sequence[str] | None = None,
    channel_order: str = 'rgb',
) -> Figure:
    """Draw the mixes of several augments, one row per set of images and one column per augment.

    Args:
        batch_inputs: The batch that was mixed, normalised, (N, C, H, W).
        weights: Shares that were drawn for the images, (M, k).
        index: Images of each mix, (M, k).
        mixes: Mixes (M, C, H, W) by the name of the augment.
        stats: Normalisation of the batch.
        names: Name of the class of each of the N images; None leaves names out.
        channel_order: Order of the channels of the batch, ``'rgb'`` or ``'bgr'``.

    Returns:
        The figure. Its axes are in the order of the rows: k images and then the mixes.

    Raises:
        ValueError: If there are no mixes, their number isn't M, or the names don't fit the batch.
    """
    counts = {name: len(mixed) for name, mixed in mixes.items()}
    if not mixes or set(counts.values()) != {len(index)}:
        raise ValueError(f'mixes must hold {len(index)} images of each augment, got {counts}')
    check_rows(None, names, len(batch_inputs))
    num_mix = index.size(1)
    images = batch_inputs[index]
    parts = [images, *(mixed.to(images.dtype)[:, None] for mixed in mixes.values())]
    pictures = [denormalize(part, stats, channel_order) for part in parts]
    columns = [Group(image_numbers(num_mix), 'Images'), *(Group([''], name) for name in mixes)]
    rows = [Group(mix_labels(dict(weights=weights, index=index), names))]
    figure, axes = image_grid(columns, rows, images.size(-2) / images.size(-1))
    for cells, row in zip(axes, range(len(index)), strict=True):
        shown: list[np.ndarray] = [picture for part in pictures for picture in part[row]]
        for cell, picture in zip(cells, shown, strict=True):
            show_picture(cell, picture)
    return figure
