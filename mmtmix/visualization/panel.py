"""The steps by which mixes were made (as TransformMix, Figures 3, 6, 8 and 9)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from torch import Tensor

from mmtmix.checks import check_choice
from mmtmix.models.draw import Details
from mmtmix.models.teachers import InputStats

from .grid import Group, image_grid
from .labels import check_rows, mix_labels
from .steps import check_details, mix_steps

LAYOUTS = ('rows', 'columns')
_DRAWN = (
    'weights',
    'index',
    'saliency',
    'theta',
    'warped',
    'masks',
    'iterations',
    'finished',
)


def draw_panel(
    batch_inputs: Tensor,
    mixed: Tensor,
    details: Details,
    stats: InputStats,
    names: Sequence[str] | None = None,
    rows: Sequence[int] | None = None,
    layout: str = 'rows',
    channel_order: str = 'rgb',
    saliency_title: str = 'Saliency',
) -> Figure:
    """Draw inputs, masks and the mix of each sample, and the steps between where there are some.

    Saliency is drawn if the details hold it, each map scaled to [0, 1]. Transformed images are
    drawn if they hold ``theta``. ``iterations`` and ``finished`` are shown beside the mix.

    Args:
        batch_inputs: The batch that was mixed, normalised, (N, C, H, W).
        mixed: Mixes of a :class:`~mmtmix.models.BatchAugment`, (N, C, H, W).
        details: Details that the augment returns with ``return_details=True``. The images of a mix
            are drawn in the order of ``details['index']``, the sample's own first.
        stats: Normalisation of the batch.
        names: Name of the class of each of the N images; None leaves names out.
        rows: Samples to draw, 0 to N - 1; all by default.
        layout: Direction of the mixes: ``'rows'`` draws one mix per row (Figure 3), ``'columns'``
            one mix per column (Figure 8).
        channel_order: Order of the channels of the batch, ``'rgb'`` or ``'bgr'``.
        saliency_title: Name of the saliency, such as an augment's ``saliency_title``.

    Returns:
        The figure. Its axes are in the order of the rows.

    Raises:
        ValueError: If details are missing or an argument doesn't fit the batch.
    """
    check_choice('layout', layout, LAYOUTS)
    check_details(details)
    rows = check_rows(rows, names, len(batch_inputs))
    chosen = {name: details[name][rows] for name in _DRAWN if name in details}
    labels = mix_labels(chosen, names, ' ' if layout == 'rows' else '\n')  # columns are narrow
    steps = mix_steps(batch_inputs, mixed[rows], chosen, stats, channel_order, saliency_title)
    aspect = batch_inputs.size(-2) / batch_inputs.size(-1)
    figure, axes = _frames([step.group for step in steps], labels, layout, aspect)
    for row, line in enumerate(axes):
        first = 0
        for step in steps:
            step.show(row, line[first:])
            first += step.pictures.shape[1]
    return figure


def _frames(
    groups: list[Group], labels: list[str], layout: str, aspect: float
) -> tuple[Figure, np.ndarray]:
    """Return the figure and its axes, (mixes, steps), in either layout."""
    if layout == 'rows':
        return image_grid(groups, [Group(labels)], aspect)
    beside = [Group([f'{g.title} {number}'.strip() for number in g.labels]) for g in groups]
    figure, axes = image_grid([Group(labels)], beside, aspect)
    return figure, axes.T
