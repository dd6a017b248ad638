"""A few mixes of a step, as small arrays and texts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from mmtmix.models.draw import Details
from mmtmix.models.mix_watch import MadeMix
from mmtmix.models.teachers import InputStats

_SHOWN_LABELS = 3  # classes of a mixed label
_LEAST_SHARE = 0.05  # of a class that is named in it
_TRIVIAL = 0.95  # share of one image from which on a mix shows little else
_CANDIDATES = 64


@dataclass(frozen=True)
class ClassNames:
    """Names of the classes of a data set.

    Attributes:
        names: Names by label; empty where they are unknown.
    """

    names: Sequence[str] = ()

    def __getitem__(self, label: int) -> str:
        known = label < len(self.names)
        return ' '.join(str(self.names[label]).split()) if known else f'class {label}'


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
    columns = _columns(mix, rows, details, pictures)
    heat = _scaled(details['saliency']) if 'saliency' in details else None
    used = _used(details).cpu().numpy()
    for title, group in columns.items():
        if title != 'Mix' and not used.all():
            columns[title] = np.where(used.reshape(used.shape + (1,) * (group.ndim - 2)), group, 1)
    labels = _labels(mix, rows, details, classes)
    return MixBlock(mix.maker, columns, labels, heat, mix.mixed, rows, mix.saliency_title)


def _columns(
    mix: MadeMix,
    rows: Sequence[int],
    details: Details,
    pictures: Callable[[Tensor], np.ndarray],
) -> dict[str, np.ndarray]:
    """Return the groups of columns of some mixes, whose details these are."""
    index = details['index']
    columns = {'Input': pictures(mix.images[index])}
    if 'saliency' in details:
        columns[mix.saliency_title] = columns['Input']
    warped = details.get('warped')
    if warped is None:
        warped = mix.images[index] if mix.warp is None else mix.warp(mix.images, details)
    if not torch.equal(warped, mix.images[index]):
        columns['Transformed'] = pictures(warped)
    if 'masks' in details:
        columns['Mask'] = _array(details['masks'][:, :, 0])
    if mix.mixed is not None:
        columns['Mix'] = pictures(mix.mixed[rows][:, None])
    elif 'masks' in details:
        columns['Mix'] = pictures((details['masks'] * warped).sum(dim=1, keepdim=True))
    return columns


def target_lines(mix: MadeMix, rows: Sequence[int], classes: ClassNames) -> list[list[str]]:
    """Return lines about the labels of some mixes, one for each class of a mix.

    Args:
        mix: Mixes with ``targets``.
        rows: Numbers of the mixes.
        classes: Names of the classes.
    """
    if mix.targets is None:
        return [[] for _ in rows]
    kind = f'label {mix.note}'.strip() if mix.note.startswith('by ') else 'label'
    shares, labels = _top(mix.targets[list(rows)])
    return [
        [
            f'{kind} {share:.2f}  {classes[label]}'
            for share, label in zip(own, named, strict=True)
            if share >= _LEAST_SHARE
        ]
        for own, named in zip(shares.tolist(), labels.tolist(), strict=True)
    ]


def _labels(
    mix: MadeMix, rows: Sequence[int], details: Details, classes: ClassNames
) -> list[list[str]]:
    """Return the lines beside each mix: shares and classes, its label where it differs."""
    weights, scores = details['weights'], mix.scores
    is_used = _used(details).tolist()
    lines: list[list[str]] = [[] for _ in rows]
    expected = None
    names: list[list[str]] = [[''] * weights.size(1) for _ in rows]
    if scores is not None:
        own = scores[details['index']]
        names = [[classes[label] for label in line] for line in own.argmax(dim=-1).tolist()]
        expected = (weights[..., None].to(own.dtype) * own).sum(dim=1)
    for row, shares in enumerate(weights.tolist()):
        lines[row] = [
            f'{_symbol(j)} = {shares[j]:.2f}  {names[row][j]}'.rstrip()
            for j in range(len(shares))
            if is_used[row][j]
        ]
    if mix.targets is not None:
        given = mix.targets[list(rows)]
        differs = expected is None or (given - expected).abs().amax(dim=1) > 0.01
        flags = differs.tolist() if isinstance(differs, Tensor) else [differs] * len(rows)
        for row, line in enumerate(target_lines(mix, rows, classes)):
            lines[row] += line if flags[row] else []
    if 'choice' in details and len(mix.makers) > 1:
        for row, number in enumerate(details['choice'].tolist()):
            lines[row].append('not mixed' if number < 0 else f'by {mix.makers[number]}')
    if 'iterations' in details:
        steps, done = details['iterations'].tolist(), details['finished'].tolist()
        for row, (count, finished) in enumerate(zip(steps, done, strict=True)):
            lines[row].append(f'{count} steps' if finished else f'not finished after {count}')
    if mix.note and not mix.note.startswith('by '):
        lines = [[*line, mix.note] for line in lines]
    return lines


def _of_mixes(details: Details, places: list[int]) -> Details:
    """Return the details of some mixes: those rows of all tensors with one row per mix."""
    count = len(details['index'])
    return {
        name: value[places]
        for name, value in details.items()
        if isinstance(value, Tensor) and value.dim() and len(value) == count
    }


def _used(details: Details) -> Tensor:
    """Return which places of mixes show an image, (R, k).

    A place that is only filled has the own image once more, and no share.
    """
    weights, index = details['weights'], details['index']
    used = (weights > 0) | (index != index[:, :1])
    used[:, 0] = True
    return used


def _choose(weights: Tensor, count: int) -> list[int]:
    """Return the first mixes that show more than one image, then the others."""
    largest = weights[:_CANDIDATES].amax(dim=1).tolist()
    order = sorted(range(len(largest)), key=lambda row: largest[row] > _TRIVIAL)
    return sorted(order[:count])


def _top(targets: Tensor) -> tuple[Tensor, Tensor]:
    return targets.float().topk(min(_SHOWN_LABELS, targets.size(1)), dim=1)


def _symbol(place: int) -> str:
    return f'λ{"₀₁₂₃₄₅₆₇₈₉"[place + 1]}' if place < 9 else f'λ{place + 1}'


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
