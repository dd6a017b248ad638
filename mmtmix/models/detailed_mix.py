"""A mixed batch with its details, by whatever augments a config names."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, cast

import numpy as np
import torch
from mmpretrain.models import RandomBatchAugment
from torch import Tensor

from mmtmix.checks import check_instance

from .augments import BatchAugment
from .draw import Details
from .foreign_mix import ForeignAugment, mix_foreign

Detailed = tuple[Tensor, Tensor, Details]


class DetailedMix(NamedTuple):
    """Mixes of a batch, and how they were made.

    Attributes:
        mixed: Mixes, (N, C, H, W).
        targets: Their labels, (N, num_classes), in float.
        details: Details of all mixes, with ``weights`` (N, k), ``index`` (N, k), ``masks``
            (N, k, 1, H, W) and ``warped`` (N, k, C, H, W) at least. k is 1 where no augment was
            chosen.
        augment: Augment that mixed the batch; None where none was chosen.
    """

    mixed: Tensor
    targets: Tensor
    details: Details
    augment: BatchAugment | ForeignAugment | None


def mix_with_details(
    augment: BatchAugment | RandomBatchAugment | ForeignAugment, images: Tensor, scores: Tensor
) -> DetailedMix:
    """Mix a batch by any augment, and return how the mixes were made.

    Mixes and random streams are those of a plain call ``augment(images, scores)``.

    Args:
        augment: Augment of this library or of another one, or MMPretrain's choice among several,
            which draws one of them, or none.
        images: Images, normalised, (N, C, H, W); never written to.
        scores: Soft or one-hot labels, (N, num_classes).

    Returns:
        The mixes with their details.

    Raises:
        TypeError: If ``augment`` can't be called.
        ValueError: If the batch doesn't fit, or an augment of another library is not linear in
            images and labels.
    """
    if isinstance(augment, RandomBatchAugment):
        chosen = choose(augment)
        return (
            unmixed(images, scores) if chosen is None else mix_with_details(chosen, images, scores)
        )
    if isinstance(augment, BatchAugment):
        mixed, targets, details = cast(Detailed, augment(images, scores, return_details=True))
        return DetailedMix(mixed, targets, details, augment)
    cure = 'give a batch augment, such as CutMix(alpha=1.0)'
    check_instance('augment', augment, Callable, 'a callable', cure=cure)  # type: ignore[arg-type]
    return DetailedMix(*mix_foreign(augment, images, scores), augment)


def choose(augment: RandomBatchAugment) -> BatchAugment | ForeignAugment | None:
    """Draw one of the augments of MMPretrain's choice, as its call would; None mixes nothing.

    Args:
        augment: The choice.
    """
    number = np.random.choice(len(augment.augments), p=augment.probs)  # noqa: NPY002
    return augment.augments[number]


def unmixed(images: Tensor, scores: Tensor) -> DetailedMix:
    """Return a batch that no augment mixes, with the details of mixes of one image each.

    Args:
        images: Images, normalised, (N, C, H, W).
        scores: Soft or one-hot labels, (N, num_classes).
    """
    own = torch.arange(len(images), device=images.device)[:, None]
    weights = torch.ones(own.shape, device=images.device)
    masks = weights[..., None, None, None].expand(-1, -1, 1, *images.shape[-2:])
    details = dict(weights=weights, index=own, masks=masks, warped=images[:, None])
    return DetailedMix(images, scores.float(), details, None)
