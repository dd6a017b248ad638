"""Mixes of two, three and more images in one figure (as SuperMix, Figure 4)."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from mmtmix.models.draw import Details
from mmtmix.models.teachers import InputStats

from .grid import Group, image_grid
from .labels import check_rows, image_numbers, mix_labels
from .steps import Step, check_details, mix_steps


def draw_comparison(
    batch_inputs: Tensor,
    mixes: Sequence[tuple[Tensor, Details]],
    stats: InputStats,
    names: Sequence[str] | None = None,
    channel_order: str = 'rgb',
    saliency_title: str = 'Saliency',
) -> Figure:
    """Draw the mixes of one batch by several augments of one kind, in a block of rows for each.

    Args:
        batch_inputs: The batch that was mixed, normalised, (N, C, H, W).
        mixes: Mixes (M, C, H, W) and details of each augment, as for :func:`draw_panel`. Each
            augment may have a k of its own. All M mixes are drawn.
        stats: Normalisation of the batch.
        names: Name of the class of each of the N images; None leaves names out.
        channel_order: Order of the channels of the batch, ``'rgb'`` or ``'bgr'``.
        saliency_title: Name of the saliency, such as an augment's ``saliency_title``.

    Returns:
        The figure. Its axes are in the order of the rows. A row has axes for its k images only.

    Raises:
        ValueError: If there are no mixes, details are missing, the augments differ in their steps
            or the names don't fit the batch.
    """
    if not mixes:
        raise ValueError('mixes is empty; give at least one pair of mixes and details')
    for _, details in mixes:
        check_details(details)
    check_rows(None, names, len(batch_inputs))
    blocks = [
        mix_steps(batch_inputs, mixed, details, stats, channel_order, saliency_title)
        for mixed, details in mixes
    ]
    titles = [[step.title for step in steps] for steps in blocks]
    if any(other != titles[0] for other in titles):
        raise ValueError(f'mixes must come from augments of the same steps, got {titles}')
    # all blocks have the same columns, so a block of fewer images leaves gaps
    widths = [max(step.pictures.shape[1] for step in same) for same in zip(*blocks, strict=True)]
    columns = [Group(image_numbers(k), title) for k, title in zip(widths, titles[0], strict=True)]
    lines = [
        Group(mix_labels(details, names), f'k = {details["index"].size(1)}')
        for _, details in mixes
    ]
    figure, axes = image_grid(columns, lines, batch_inputs.size(-2) / batch_inputs.size(-1))
    cells = iter(axes)
    for steps, line in zip(blocks, lines, strict=True):
        for row in range(len(line.labels)):
            _show_line(next(cells), steps, widths, row)
    return figure


def _show_line(cells: Sequence[Axes], steps: list[Step], widths: list[int], row: int) -> None:
    """Show a mix in a row of cells, and remove the cells that it has no images for."""
    first = 0
    for step, width in zip(steps, widths, strict=True):
        own = cells[first : first + width]
        step.show(row, own)
        for unused in own[step.pictures.shape[1] :]:
            unused.remove()
        first += width
