"""A few mixes of a step, as small arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from mmtmix.models.draw import Details
from mmtmix.models.mix_watch import MadeMix
from mmtmix.models.teachers import InputStats

from .mix_lines import ClassNames, mix_lines, target_lines, used_places

_TRIVIAL = 0.95  # share of one image from which on a mix shows little else
_CANDIDATES = 64


@dataclass(frozen=True)
class MixBlock:
    """Some mixes by one augment.

    Attributes:
        title: Name of the augment.
        columns: Groups of columns by their titles. Each has pictures of the R mixes in [0, 1],
            (R, k, H, W) or (R, k, H, W, 3).
        heat: Saliency in [0, 1], (R, k, h, w), to draw on the pictures of ``heat_column``.
        labels: Lines of text beside each mix.
        mixed: Mixes that the block was made from, to recognise them when their labels come.
        rows: Numbers of the mixes in the batch.
        heat_column: Title of the column with the saliency.
    """

    title: str
    columns: dict[str, np.ndarray]
    labels: list[list[str]]
    heat: np.ndarray | None = None
    mixed: Tensor | None = field(default=None, repr=False)
    rows: Sequence[int] = ()
    heat_column: str = 'Saliency'

    @property
    def is_colour(self) -> bool:
        """Whether the pictures are in colour."""
        return any(pictures.ndim == 5 for pictures in self.columns.values())

    def first(self, count: int) -> MixBlock:
        """Return the block of its first mixes alone."""
        columns = {title: pictures[:count] for title, pictures in self.columns.items()}
        heat = None if self.heat is None else self.heat[:count]
        labels, rows = self.labels[:count], self.rows[:count]
        return replace(self, columns=columns, labels=labels, heat=heat, rows=rows, mixed=None)

    def with_labels(self, lines: Sequence[Sequence[str]]) -> MixBlock:
        """Return the block with other lines about the labels."""
        kept = [[line for line in own if not line.startswith('label')] for own in self.labels]
        labels = [[*own, *line] for own, line in zip(kept, lines, strict=False)]
        return replace(self, labels=labels)


@torch.no_grad()
def make_block(
    mix: MadeMix, count: int, stats: InputStats, order: str, classes: ClassNames
) -> MixBlock:
    """Copy some mixes from their device, and describe them.

    Args:
        mix: Mixes of a step.
        count: Number of mixes, >= 1.
        stats: Normalisation of the images.
        order: Order of their channels, ``'rgb'`` or ``'bgr'``.
        classes: Names of the classes.

    Returns:
        The block of those among the first 64 mixes that show more than one image, if there are
        enough of them.

    Raises:
        ValueError: If the images have neither 1 nor 3 channels.
    """

    def pictures(images: Tensor) -> np.ndarray:
        return _denormalize(images, stats, order)

    if 'index' not in mix.details or mix.images is None:
        if mix.mixed is None:
            raise ValueError('a mix without images and details shows nothing')
        mixed = mix.mixed[:count, None]
        lines = target_lines(mix, range(len(mixed)), classes)
        return MixBlock(mix.maker, {'Mix': pictures(mixed)}, lines)
    places = _choose(mix.details['weights'], count)
    rows = [mix.rows[place] for place in places] if mix.rows is not None else places
    details = _of_mixes(mix.details, places)
    columns = _columns(mix, mix.images, rows, details, pictures)
    heat = _scaled(details['saliency']) if 'saliency' in details else None
    used = used_places(details).cpu().numpy()
    for title, group in columns.items():
        if title != 'Mix' and not used.all():
            columns[title] = np.where(used.reshape(used.shape + (1,) * (group.ndim - 2)), group, 1)
    labels = mix_lines(mix, rows, details, classes)
    return MixBlock(mix.maker, columns, labels, heat, mix.mixed, rows, mix.saliency_title)


def _columns(
    mix: MadeMix,
    images: Tensor,
    rows: Sequence[int],
    details: Details,
    pictures: Callable[[Tensor], np.ndarray],
) -> dict[str, np.ndarray]:
    """Return the groups of columns of some mixes, whose details these are."""
    index = details['index']
    columns = {'Input': pictures(images[index])}
    if 'saliency' in details:
        columns[mix.saliency_title] = columns['Input']
    warped = details.get('warped')
    if warped is None:
        warped = images[index] if mix.warp is None else mix.warp(images, details)
    if not torch.equal(warped, images[index]):
        columns['Transformed'] = pictures(warped)
    if 'masks' in details:
        columns['Mask'] = _array(details['masks'][:, :, 0])
    if mix.mixed is not None:
        columns['Mix'] = pictures(mix.mixed[rows][:, None])
    elif 'masks' in details:
        columns['Mix'] = pictures((details['masks'] * warped).sum(dim=1, keepdim=True))
    return columns


def _of_mixes(details: Details, places: list[int]) -> Details:
    """Return the details of some mixes: those rows of all tensors with one row per mix."""
    count = len(details['index'])
    return {
        name: value[places]
        for name, value in details.items()
        if isinstance(value, Tensor) and value.dim() and len(value) == count
    }


def _choose(weights: Tensor, count: int) -> list[int]:
    """Return the first mixes that show more than one image, then the others."""
    largest = weights[:_CANDIDATES].amax(dim=1).tolist()
    order = sorted(range(len(largest)), key=lambda row: largest[row] > _TRIVIAL)
    return sorted(order[:count])


def _array(tensor: Tensor) -> np.ndarray:
    return tensor.detach().to('cpu', torch.float32).numpy()


def _scaled(saliency: Tensor) -> np.ndarray:
    """Return saliency (R, k, h, w) in [0, 1]; that of another range by its least and largest."""
    maps = _array(saliency[:, :, 0])
    if maps.min() >= 0 and 0.2 < maps.max() <= 1.001:
        return maps.clip(0, 1)
    low, high = (f(maps, axis=(2, 3), keepdims=True) for f in (np.min, np.max))
    return (maps - low) / np.maximum(high - low, 1e-12)


def _denormalize(images: Tensor, stats: InputStats, order: str) -> np.ndarray:
    """Return normalised images (..., C, H, W) as pictures in [0, 1], RGB or grey."""
    channels = images.size(-3)
    if channels not in (1, 3):
        raise ValueError(f'images have {channels} channels; grey and colour images are drawn')
    mean = np.asarray(stats.mean or (0.0,), dtype=np.float32)[:, None, None]
    std = np.asarray(stats.std or (1.0,), dtype=np.float32)[:, None, None]
    pixels = np.moveaxis((_array(images) * std + mean) / 255, -3, -1).clip(0, 1)
    if channels == 1:
        return pixels[..., 0]
    return pixels[..., ::-1] if order == 'bgr' else pixels
