"""Figures of how mixes change with one setting (TransformMix, Figures 4 and 5)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from mmtmix.checks import check_flag
from mmtmix.models.teachers import InputStats

from .grid import Group, highlight, image_grid
from .images import denormalize, scale_saliency, show_picture, to_array
from .labels import check_rows, image_numbers, mix_label
from .sweeps import Sweep


def draw_sweep(
    sweep: Sweep,
    batch_inputs: Tensor,
    stats: InputStats,
    names: Sequence[str] | None = None,
    rows: Sequence[int] | None = None,
    steps: bool = False,
    channel_order: str = 'rgb',
) -> Figure:
    """Draw the inputs and the mix for each value of a sweep.

    Args:
        sweep: Sweep to draw.
        batch_inputs: The batch that was mixed, (N, C, H, W).
        stats: Normalisation of the batch.
        names: Name of the class of each of the N images; None leaves names out.
        rows: Samples to draw, 0 to N - 1; all by default.
        steps: Whether to draw the masks of the first image as well, in a row below, and the
            saliency if the augment has any, each map scaled to [0, 1].
        channel_order: Order of the channels of the batch, ``'rgb'`` or ``'bgr'``.

    Returns:
        The figure. Its axes are in the order of the rows.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If names or rows don't fit the batch.
    """
    check_flag('steps', steps)
    rows = check_rows(rows, names, len(batch_inputs))
    inputs = denormalize(batch_inputs, stats, channel_order)
    mixes = denormalize(sweep.mixed, stats, channel_order)
    saliency = None if sweep.saliency is None else scale_saliency(sweep.saliency[:, :, 0])
    masks = to_array(sweep.masks)[:, :, 0, 0]
    index = sweep.index.cpu().numpy()
    columns = [
        Group(image_numbers(index.shape[1]), 'Input'),
        Group(_value_labels(sweep), sweep.title),
    ]
    labels = [_row_label(sweep, row, names) for row in rows]
    below = 'mask 1' if saliency is None else f'{sweep.saliency_title}\nand mask 1'
    lines = [Group([label, below]) for label in labels] if steps else [Group(labels)]
    figure, axes = image_grid(columns, lines, batch_inputs.size(-2) / batch_inputs.size(-1))
    cells = iter(axes)
    for row in rows:
        own = inputs[index[row]]
        _show_line(next(cells), (*own, *mixes[:, row]))
        if steps:
            maps = None if saliency is None else saliency[row]
            _show_steps(next(cells), own, masks[:, row], maps)
    if sweep.learned is not None:
        highlight(axes[:, index.shape[1] + sweep.learned])
    return figure


def _show_steps(
    cells: Sequence[Axes], inputs: np.ndarray, masks: np.ndarray, maps: np.ndarray | None
) -> None:
    """Fill the row below; without saliency, remove the cells below the inputs."""
    if maps is not None:
        _show_line(cells, (*inputs, *masks), [*maps])
        return
    _show_line(cells[len(inputs) :], [*masks])
    for unused in cells[: len(inputs)]:
        unused.remove()


def _show_line(
    cells: Sequence[Axes], pictures: Sequence[np.ndarray], maps: Sequence[np.ndarray] = ()
) -> None:
    """Fill a row of cells, and draw the saliency, if there is any, on the first pictures."""
    for cell, picture, heat in zip_longest(cells, pictures, maps):
        show_picture(cell, picture, heat)


def _value_labels(sweep: Sweep) -> list[str]:
    labels = [f'{value:.3g}' for value in sweep.values]
    if sweep.learned is not None:
        labels[sweep.learned] = f'learned\n{labels[sweep.learned]}'
    return labels


def _row_label(sweep: Sweep, row: int, names: Sequence[str] | None) -> str:
    weights = None if sweep.weights is None else sweep.weights[row]
    return mix_label(sweep.index[row], names, weights)
