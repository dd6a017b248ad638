"""The steps of a mix as pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from matplotlib.axes import Axes
from torch import Tensor

from mmtmix.models.draw import Details
from mmtmix.models.teachers import InputStats

from .grid import Group
from .images import denormalize, scale_saliency, show_picture, to_array
from .labels import image_numbers

_NEEDED = ('weights', 'index', 'warped', 'masks')


@dataclass(frozen=True)
class Step:
    """The pictures of one step of N mixes.

    Attributes:
        title: Name of the step.
        pictures: Pictures, grey (N, k, H, W) or RGB (N, k, H, W, 3); k is 1 for the mix itself.
        saliency: Heat maps on the pictures, (N, k, h, w), or None.
    """

    title: str
    pictures: np.ndarray
    saliency: np.ndarray | None = None

    @property
    def group(self) -> Group:
        """The step's columns or rows in a figure."""
        return Group(image_numbers(self.pictures.shape[1]), self.title)

    def show(self, row: int, cells: Sequence[Axes]) -> None:
        """Show the pictures of a mix in the first cells.

        Args:
            row: Number of the mix, 0 to N - 1.
            cells: Axes to show them in, k or more.
        """
        for j, picture in enumerate(self.pictures[row]):
            show_picture(
                cells[j], picture, None if self.saliency is None else self.saliency[row, j]
            )


def mix_steps(
    batch_inputs: Tensor,
    mixed: Tensor,
    details: Details,
    stats: InputStats,
    channel_order: str = 'rgb',
    saliency_title: str = 'Saliency',
) -> list[Step]:
    """Return the steps that mixes were made in, as far as the augment has them.

    Args:
        batch_inputs: The batch that was mixed, (N, C, H, W).
        mixed: The mixes, (M, C, H, W).
        details: Details of the mixes.
        stats: Normalisation of the batch.
        channel_order: Order of the channels of the batch, ``'rgb'`` or ``'bgr'``.
        saliency_title: Name of the saliency, such as an augment's ``saliency_title``.

    Returns:
        Inputs, masks and mixes. Saliency, each map scaled to [0, 1], and transformed images are
        among them if they are in the details.
    """
    sources = batch_inputs[details['index']]
    inputs, warped, mixes = (
        denormalize(images, stats, channel_order)
        for images in (sources, details['warped'], mixed[:, None])
    )
    steps = [Step('Input', inputs)]
    if 'saliency' in details:
        steps.append(Step(saliency_title, inputs, scale_saliency(details['saliency'][:, :, 0])))
    if 'theta' in details or not torch.equal(details['warped'], sources):
        steps.append(Step('Transformed', warped))
    return [*steps, Step('Mask', to_array(details['masks'])[:, :, 0]), Step('Mix', mixes)]


def check_details(details: Details) -> None:
    """Refuse details that lack an entry which every augment returns.

    Args:
        details: Details of mixes.

    Raises:
        ValueError: If one is missing.
    """
    missing = [name for name in _NEEDED if name not in details]
    if missing:
        raise ValueError(
            f'details lack {", ".join(missing)}; give the third value of an augment called with '
            'return_details=True'
        )
