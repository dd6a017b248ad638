"""Read a data set once, through its own class and the transforms that run once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from mmtmix.datasets.transforms.carry_mask import MASK

Chunk = tuple[Tensor, list[dict[str, Any]]]
CHUNK = 256
"""Number of images that are read at a time."""


def read_item(
    dataset: Any, once: Sequence[Any], number: int, has_mask: bool = False
) -> dict[str, Any]:
    """Read an item.

    Args:
        dataset: Data set of MMEngine, initialised.
        once: Transforms that run once.
        number: Number of the item.
        has_mask: Whether its ``gt_mask`` becomes one more channel of the image, of 0 and 255.

    Returns:
        The item, with ``img``, uint8 (H, W) or (H, W, C).

    Raises:
        ValueError: If it has no such image.
    """
    item = dataset.get_data_info(number)
    for transform in once:
        item = transform(item)
        if item is None:
            break
    image = None if item is None else item.get('img')
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8 or image.ndim not in (2, 3):
        found = type(image).__name__ if not isinstance(image, np.ndarray) else image.dtype
        shape = getattr(image, 'shape', '')
        raise ValueError(
            f'item {number} of {type(dataset).__name__} must have an image as a uint8 array '
            f'(H, W) or (H, W, C), got {found} {shape}; load it by LoadImageFromFile, or use the '
            'ordinary data set'
        )
    if has_mask:
        mask = item.get(MASK)
        if not isinstance(mask, np.ndarray) or mask.shape != image.shape[:2]:
            raise ValueError(
                f'item {number} of {type(dataset).__name__} must have a gt_mask of the shape '
                f'{image.shape[:2]}, got {getattr(mask, "shape", mask)}; leave gt_mask out of '
                "PackInputs' meta_keys, or use the ordinary data set"
            )
        item = {**item, 'img': np.dstack([image, np.where(mask > 0, 255, 0).astype(np.uint8)])}
    return item


def iter_chunks(
    dataset: Any,
    once: Sequence[Any],
    shape: tuple[int, ...],
    keys: Sequence[str],
    num_workers: int,
    has_mask: bool = False,
) -> Iterator[Chunk]:
    """Yield all images of a data set in their order, with what is kept of their items.

    Reading draws nothing from the random state of this process.

    Args:
        dataset: Data set of MMEngine, initialised.
        once: Transforms that run once.
        shape: Shape that every image must have, ``(H, W)`` or ``(H, W, C)``.
        keys: Names of what is kept of each item.
        num_workers: Number of processes that read, >= 0; 0 reads in this one.
        has_mask: Whether the last channel is the mask of the objects.

    Yields:
        Images, uint8 (n, C, H, W), and for each a dict with what it has of ``keys``.

    Raises:
        ValueError: If an image has another shape.
    """
    yield from DataLoader(
        _Items(dataset, once, shape, keys, has_mask),
        batch_size=CHUNK,
        num_workers=num_workers,
        collate_fn=_as_it_is,
        generator=torch.Generator(),  # the global one stays as it is
    )


class _Items(Dataset):
    """The chunks of :func:`iter_chunks`."""

    def __init__(
        self, dataset: Any, once: Sequence[Any], shape: Sequence[int], keys: Any, has_mask: bool
    ):
        self.dataset = dataset
        self.once = once
        self.shape = tuple(shape)
        self.keys = keys
        self.has_mask = has_mask

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitems__(self, numbers: Sequence[int]) -> Chunk:
        images = np.empty((len(numbers), *self.shape), dtype=np.uint8)
        kept = []
        for place, number in enumerate(numbers):
            item = read_item(self.dataset, self.once, number, self.has_mask)
            if item['img'].shape != self.shape:
                named = item.get('img_path') or f'item {number}'
                raise ValueError(
                    f'{named} of {type(self.dataset).__name__} has shape {item["img"].shape}, and '
                    f'the first image {self.shape}; a resident set needs images of one shape: '
                    'begin the pipeline with Resize(scale=(width, height)) or CenterCrop'
                )
            images[place] = item['img']
            kept.append({key: item[key] for key in self.keys if key in item})
        stacked = torch.from_numpy(images)
        return stacked[:, None] if stacked.ndim == 3 else stacked.permute(0, 3, 1, 2), kept


def _as_it_is(chunk: Any) -> Any:
    return chunk
