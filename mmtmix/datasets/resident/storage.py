"""A data set's images and labels in memory."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from mmpretrain.structures import DataSample
from torch import Tensor

from mmtmix.datasets.transforms.carry_mask import MASK
from mmtmix.functional.pixel_maps import with_fill

from .geometry import Geometry
from .plan import Plan
from .reading import iter_chunks, read_item
from .samples import SampleTable

# fields that transforms of a batch write
_WRITTEN = {'img_shape', 'pad_shape', 'pad_fixed_size', 'pad_size_divisor', 'flip'}
_WRITTEN |= {'flip_direction', MASK}
_LABELS = ('gt_label', 'gt_score')


@dataclass(frozen=True)
class Part:
    """A data set and its pipeline.

    Attributes:
        dataset: Data set of MMEngine, initialised.
        plan: Its pipeline.
    """

    dataset: Any
    plan: Plan


@dataclass(frozen=True)
class Stored:
    """A set in memory.

    Attributes:
        images: Images with a row and a column of each fill colour, uint8 (M, C, H + K, W + K).
            The last channel is the mask of the objects if there is one.
        samples: Maker of their data samples.
        geometry: Crops, flips and pads of a batch.
        has_mask: Whether there is a mask of the objects.
    """

    images: Tensor
    samples: SampleTable
    geometry: Geometry
    has_mask: bool


def store(parts: Sequence[Part], device: torch.device, max_bytes: int, workers: int) -> Stored:
    """Read all images of several data sets into memory.

    Args:
        parts: Data sets whose pipelines treat a batch alike, each with an image.
        device: Device of the images and labels.
        max_bytes: Number of bytes that they may take, >= 1.
        workers: Number of processes that read, >= 0.

    Raises:
        ValueError: If they don't fit, images differ in shape, or labels are no single integers.
    """
    plan = parts[0].plan
    first = read_item(parts[0].dataset, plan.once, 0, plan.has_mask)
    shape = first['img'].shape
    if plan.erasing and shape[2:] != (4 if plan.has_mask else 3,):
        raise ValueError(
            f'RandomErasing fills three channels, and the images have the shape {shape}; load '
            'three channels or leave it out'
        )
    geometry = Geometry(plan.geometric, shape)
    canvas = with_fill(shape[0], shape[1], geometry.colours)
    count = sum(len(part.dataset) for part in parts)
    needed = count * (canvas.numel() + 4 * len(first.get('gt_score', ())))
    _check_fits(needed, count, device, max_bytes)
    images = canvas.to(device).expand(count, *canvas.shape).contiguous()
    keys = [*_LABELS, *(key for key in plan.pack.meta_keys if key not in _WRITTEN)]
    columns: dict[str, list[Any]] = {key: [] for key in keys}
    begin = 0
    for part in parts:
        for chunk, items in iter_chunks(
            part.dataset, part.plan.once, shape, keys, workers, plan.has_mask
        ):
            place = slice(begin, begin + len(items))
            images[place, :, : shape[0], : shape[1]] = chunk.to(device)
            begin += len(items)
            for key, column in columns.items():
                column += [item[key] for item in items if key in item]
    table = _make_table(columns, count, first, plan, device)
    return Stored(images, table, geometry, plan.has_mask)


def _check_fits(needed: int, count: int, device: torch.device, max_bytes: int) -> None:
    """Refuse a set that takes more memory than allowed, or than a GPU has."""
    size = f'{count} images take {needed} bytes ({needed / 2**30:.2f} GiB)'
    if needed > max_bytes:
        raise ValueError(
            f'{size}, more than max_bytes={max_bytes}; set max_bytes={needed} if the memory has '
            'room, resize the images first, or use the ordinary data set'
        )
    if device.type == 'cuda':
        free = torch.cuda.mem_get_info(device)[0]
        if needed > free:
            raise ValueError(
                f"{size}, and {device} has {free} bytes free; set device='cpu', which keeps them "
                'in main memory, or use the ordinary data set'
            )


def _make_table(
    columns: dict[str, list[Any]],
    count: int,
    first: dict[str, Any],
    plan: Plan,
    device: torch.device,
) -> SampleTable:
    """Return the maker of data samples, from what was kept of all items."""
    scored = len(columns['gt_score'])
    if 0 < scored < count:
        raise ValueError(
            f'{scored} of {count} images have a gt_score; add dict(type="OneHotScore", '
            'num_classes=...) to the pipeline of the others'
        )
    # what only some items have is left out
    dropped = {key for key, column in columns.items() if len(column) < count}
    template = _pack(plan, {key: value for key, value in first.items() if key not in dropped})
    columns = {key: column for key, column in columns.items() if key not in dropped}
    labels = _labels(columns.pop('gt_label')).to(device) if 'gt_label' in columns else None
    scores = None
    if 'gt_score' in columns:
        found = np.stack([np.asarray(score) for score in columns.pop('gt_score')])
        scores = torch.from_numpy(found).float().to(device)
    return SampleTable(template, columns, labels, scores)


def _labels(values: Sequence[Any]) -> Tensor:
    """Return labels as int64 (M, 1).

    Raises:
        ValueError: If one is no integer.
    """
    wrong = [value for value in values if not isinstance(value, (int, np.integer))]
    if wrong:
        raise ValueError(
            f'a resident set needs one integer label per image, got {wrong[0]!r}; use the '
            'ordinary data set for images of several labels'
        )
    return torch.tensor([int(value) for value in values])[:, None]


def _pack(plan: Plan, item: dict[str, Any]) -> DataSample:
    """Return the data sample of an item after the whole pipeline, with any draws."""
    if plan.has_mask:  # the last channel
        image = item['img'][..., :-1]
        item = {**item, 'img': image[..., 0] if image.shape[2] == 1 else image}
    kept = np.random.get_state()  # noqa: NPY002  (what these transforms draw from)
    item = copy.deepcopy(item)
    try:
        for transform in (*plan.geometric, *plan.erasing, plan.pack):
            item = transform(item)
    finally:
        np.random.set_state(kept)  # noqa: NPY002
    sample = item['data_samples']
    unknown = sorted(set(sample.keys()) - set(_LABELS))
    if unknown:
        raise ValueError(
            f'items have {", ".join(unknown)} beside their label, which a resident set does not '
            'keep; use the ordinary data set'
        )
    return sample
