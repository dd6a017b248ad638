"""Flips and crops of an image together with the mask of its objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform, CenterCrop, Pad, RandomFlip, Resize
from mmpretrain.datasets import RandomCrop, RandomResizedCrop, ResizeEdge
from mmpretrain.registry import TRANSFORMS

from mmtmix.checks import check_instance

MASK = 'gt_mask'
MOVES = (RandomFlip, RandomCrop, RandomResizedCrop, CenterCrop, Pad, Resize, ResizeEdge)
"""Transforms that move an image, and that :class:`CarryMask` may hold."""
_STALE = ('gt_bboxes', 'scale_factor')


@TRANSFORMS.register_module()
class CarryMask(BaseTransform):
    """Applies the host's flips, crops and resizes to an image and its mask alike.

    The mask becomes one more channel of the image, so each random draw holds for both. The draws
    and the image are those without a mask. A resized mask is 1 where the interpolated mask is at
    least one half. Padded pixels have the mask 0. Boxes are removed, since crops do not move them.
    A ``RandomErasing`` behind it changes the image alone: the mask keeps erased pixels at 1.

    **Required keys:** ``img``, uint8 (H, W) or (H, W, C), and ``gt_mask``, uint8 (H, W) of 0 and
    1. **Modified keys:** both, and what the transforms modify. **Removed keys:** ``gt_bboxes``
    and ``scale_factor``.

    Args:
        transforms: Transforms or their configs, at least one: ``RandomFlip``, ``RandomCrop``,
            ``RandomResizedCrop``, ``CenterCrop``, ``Pad``, ``Resize`` or ``ResizeEdge``. What they
            fill in must be black.

    Raises:
        TypeError: If ``transforms`` is no list.
        ValueError: If it is empty, or holds another transform or a fill colour.
    """

    def __init__(self, transforms: Sequence[Any]):
        cure = "give a list such as [dict(type='RandomFlip', prob=0.5)]"
        check_instance('transforms', transforms, (list, tuple), 'a list of transforms', cure=cure)
        if not transforms:
            raise ValueError(f'transforms must hold at least one transform, got []; {cure}')
        self.transforms = [
            TRANSFORMS.build(each) if isinstance(each, Mapping) else each for each in transforms
        ]
        for transform in self.transforms:
            _check(transform)

    def transform(self, results: dict) -> dict | None:
        """Transform the image and the mask.

        Args:
            results: Sample with ``img`` and ``gt_mask``.

        Raises:
            ValueError: If the two have different sizes.
        """
        image, mask = results['img'], results[MASK]
        if image.shape[:2] != mask.shape:
            raise ValueError(
                f'gt_mask has the shape {mask.shape} and the image {image.shape}; put every '
                'transform that moves the image into CarryMask'
            )
        is_grey = image.ndim == 2
        stacked = np.dstack([image, np.where(mask > 0, 255, 0).astype(image.dtype)])
        kept = {name: value for name, value in results.items() if name not in (MASK, *_STALE)}
        found: dict = {**kept, 'img': stacked}
        for transform in self.transforms:
            moved_on = transform(found)
            if moved_on is None:  # another image takes its place
                return None
            found = moved_on
        moved = found.pop('img')
        found.pop('scale_factor', None)
        image = np.ascontiguousarray(moved[..., 0] if is_grey else moved[..., :-1])
        return {**found, 'img': image, MASK: (moved[..., -1] >= 128).astype(np.uint8)}

    def __repr__(self) -> str:
        return f'{type(self).__name__}({self.transforms!r})'


def _check(transform: Any) -> None:
    name = type(transform).__name__
    if type(transform) not in MOVES:
        raise ValueError(
            f'CarryMask cannot hold {name}, only {", ".join(each.__name__ for each in MOVES)}. '
            'Put transforms that leave the place of objects alone before or behind it'
        )
    fill = getattr(transform, 'pad_val', 0)
    fill = fill.get('img', 0) if isinstance(fill, Mapping) else fill
    if np.any(fill):
        raise ValueError(
            f'{name} in CarryMask fills pixels with pad_val={fill!r}, which would count as an '
            'object; leave it out for black'
        )


def check_carried(transforms: Sequence[Any], owner: str) -> None:
    """Refuse a pipeline that moves images and packs masks which stayed where they were.

    Args:
        transforms: Transforms of a data set, built.
        owner: Name of the data set, for the error.

    Raises:
        ValueError: If there is a transform that moves images outside of :class:`CarryMask`.
    """
    if MASK not in getattr(transforms[-1] if transforms else None, 'meta_keys', ()):
        return
    for transform in transforms:
        if isinstance(transform, MOVES):
            raise ValueError(
                f'the pipeline of {owner} packs gt_mask, but {type(transform).__name__} moves the '
                "image alone; put it into dict(type='CarryMask', transforms=[...])"
            )
