"""Which transforms of a pipeline run once, and which on each batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mmcv.transforms import CenterCrop, LoadImageFromFile, Pad, RandomFlip, Resize
from mmpretrain.datasets import (
    EfficientNetCenterCrop,
    PackInputs,
    RandomCrop,
    RandomErasing,
    ResizeEdge,
)

from mmtmix.datasets.loading import CheckedLoadImageFromFile
from mmtmix.datasets.one_hot_score import OneHotScore
from mmtmix.datasets.transforms import CarryMask, PlaceOnCanvas
from mmtmix.datasets.transforms.carry_mask import MASK, check_carried

from .geometry import GEOMETRIC

ONCE = (
    LoadImageFromFile,
    CheckedLoadImageFromFile,
    Resize,
    ResizeEdge,
    EfficientNetCenterCrop,
    PlaceOnCanvas,
    Pad,
    CenterCrop,
    OneHotScore,
    CarryMask,
)
"""Transforms that give the same in every epoch."""
PER_BATCH = (*GEOMETRIC, RandomErasing)
"""Transforms that are done for a batch at once."""
_RANDOM = (RandomFlip, RandomCrop, RandomErasing)
_CURE = 'use the ordinary data set for this pipeline'


@dataclass(frozen=True)
class Plan:
    """A pipeline in three parts.

    Attributes:
        once: Transforms of an item when the set is read.
        geometric: Crops, flips and pads of each batch.
        erasing: Instances of ``RandomErasing`` after them.
        pack: ``PackInputs`` at the end.
        has_mask: Whether items have a ``gt_mask`` that moves with the image.
    """

    once: tuple[Any, ...]
    geometric: tuple[Any, ...]
    erasing: tuple[Any, ...]
    pack: PackInputs
    has_mask: bool = False

    def differs(self, other: Plan) -> bool:
        """Return whether another plan treats a batch otherwise."""
        return [repr(each) for each in (self.geometric, self.erasing, self.pack)] != [
            repr(each) for each in (other.geometric, other.erasing, other.pack)
        ]


def plan_pipeline(transforms: Sequence[Any], owner: str) -> Plan:
    """Divide a pipeline.

    Transforms before the first random one run once. ``OneHotScore`` does so anywhere, since it
    leaves the image alone.

    Args:
        transforms: Transforms of a data set, built.
        owner: Name of the data set, for errors.

    Raises:
        ValueError: If a transform is not supported or at a place where it cannot be batched; the
            message names it and lists those that are supported. Or if masks of objects are packed,
            which would not move with their images.
    """
    if not transforms or type(transforms[-1]) is not PackInputs:
        last = _name(transforms[-1]) if transforms else 'nothing'
        raise ValueError(f'the pipeline of {owner} must end with PackInputs, got {last}; {_CURE}')
    pack = transforms[-1]
    if pack.input_key != 'img' or pack.algorithm_keys:
        raise ValueError(
            f'the pipeline of {owner} ends with {pack!r}; ResidentDataset packs only img and '
            f"labels, so leave input_key='img' and algorithm_keys=(), or {_CURE}"
        )
    once: list[Any] = []
    geometric: list[Any] = []
    erasing: list[Any] = []
    is_random = False
    check_carried(transforms, owner)
    for transform in _unwrap(transforms[:-1]):
        kind = type(transform)  # a subclass may do anything
        is_random = is_random or kind in _RANDOM
        if kind is OneHotScore or (kind in ONCE and not is_random):
            once.append(transform)
        elif kind is RandomErasing:
            erasing.append(transform)
        elif kind in GEOMETRIC:
            _check_place(transform, bool(erasing), owner)
            geometric.append(transform)
        else:
            raise ValueError(_refusal(kind, is_random, owner))
    has_mask = MASK in pack.meta_keys
    return Plan(tuple(once), tuple(geometric), tuple(erasing), pack, has_mask)


def _unwrap(transforms: Sequence[Any]) -> list[Any]:
    """Return a pipeline in which what a ``CarryMask`` holds stands by itself.

    What of it runs once stays in a ``CarryMask``, which moves the mask of an item.
    """
    found: list[Any] = []
    for transform in transforms:
        if type(transform) is not CarryMask:
            found.append(transform)
            continue
        held, count = transform.transforms, 0
        if not any(type(each) in _RANDOM for each in found):
            while count < len(held) and type(held[count]) in ONCE:
                count += 1
        found += [CarryMask(held[:count])] if count else []
        found += held[count:]
    return found


def _check_place(transform: Any, is_erased: bool, owner: str) -> None:
    if is_erased:
        raise ValueError(
            f'the pipeline of {owner} has {_name(transform)} after RandomErasing, which '
            f'ResidentDataset does not batch; put RandomErasing last, or {_CURE}'
        )
    if isinstance(transform, CenterCrop) and transform.auto_pad:
        raise ValueError(
            f'the pipeline of {owner} has CenterCrop(auto_pad=True) after a random transform, '
            f'which ResidentDataset does not batch; give a Pad before it, or {_CURE}'
        )


def _refusal(kind: type, is_random: bool, owner: str) -> str:
    batched = ', '.join(each.__name__ for each in PER_BATCH)
    if kind in ONCE:
        reason = f'after a random transform, where ResidentDataset supports only {batched}'
        return (
            f'the pipeline of {owner} has {kind.__name__} {reason}; put it before the first '
            f'random transform, or {_CURE}'
        )
    supported = ', '.join(each.__name__ for each in ONCE)
    return (
        f'the pipeline of {owner} has {kind.__name__}, which ResidentDataset does not support. '
        f'It supports {supported} once, when the set is read; {batched} for each batch; and '
        f'PackInputs at the end; {_CURE}'
    )


def _name(transform: Any) -> str:
    return type(transform).__name__
