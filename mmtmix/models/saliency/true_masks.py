"""Saliency by the true masks of the objects, which a data set hands over with its images."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .base import SALIENCY_SOURCES, SaliencySource

FIELD = 'gt_mask'
"""Field of a data sample with its mask: 1 where the object is visible, (H, W)."""

_handed: Sequence[Any] | Tensor | None = None


@contextmanager
def object_masks(masks: Sequence[Any] | Tensor) -> Iterator[None]:
    """Hand the true masks of a batch to :class:`TrueMasks` while a block runs.

    Args:
        masks: Masks of N images, 0 or 1: bool or integers (N, H, W) or (N, 1, H, W); or N data
            samples with ``gt_mask`` (H, W), such as a batch of a data loader has.
    """
    global _handed
    before, _handed = _handed, masks
    try:
        yield
    finally:
        _handed = before


def set_object_masks(masks: Sequence[Any] | Tensor | None) -> None:
    """Hand the true masks of a batch over until the next call.

    Args:
        masks: Masks as of :func:`object_masks`; None hands none over.
    """
    global _handed
    _handed = masks


@SALIENCY_SOURCES.register_module()
class TrueMasks(SaliencySource):
    """Return the true masks of the objects: 1 on a visible pixel of the object, 0 elsewhere.

    It is a reference, not a method, for data sets that hold the places of their objects. Each data
    sample holds ``gt_mask``, bool or integers (H, W), which the pipeline flips and crops together
    with the image. ``PackInputs(meta_keys=(..., 'gt_mask'))`` packs it. The data preprocessor of
    the augment hands the data samples of its training batch over. Outside of one,
    :func:`object_masks` does.

    What ``RandomErasing`` erases stays 1 in the mask. An image that shows no pixel of its object
    has a map of zeros.

    It needs all images of a batch in their order.
    """

    @property
    def title(self) -> str:
        """See :attr:`SaliencySource.title`."""
        return 'True mask'

    @property
    def needs_batch(self) -> bool:
        """See :attr:`SaliencySource.needs_batch`."""
        return True

    @torch.no_grad()
    def __call__(self, batch_inputs: Tensor, batch_scores: Tensor) -> Tensor:
        """See :meth:`SaliencySource.__call__`; the maps have the images' size.

        Raises:
            RuntimeError: If no masks were handed over.
            TypeError: If masks are neither bool nor integers.
            ValueError: If a data sample has no mask, or number or size of the masks are not those
                of the images.
        """
        if _handed is None:
            raise RuntimeError(
                'TrueMasks needs the masks of the batch, and none were handed over; train, or '
                'draw by `mmtmix browse` or `mmtmix visualize mix`, a config whose '
                'model.train_cfg has the augment, or call it inside of '
                'mmtmix.models.object_masks(masks)'
            )
        masks = _handed if isinstance(_handed, Tensor) else _stacked(_handed)
        if masks.is_floating_point():
            raise TypeError(
                f'gt_mask must be bool or integers, 0 or 1, got {masks.dtype}; pack it as uint8'
            )
        masks = masks[:, None] if masks.dim() == 3 else masks
        expected = (len(batch_inputs), 1, *batch_inputs.shape[-2:])
        if tuple(masks.shape) != expected:
            raise ValueError(
                f'gt_mask must be {expected} for images {tuple(batch_inputs.shape)}, got '
                f'{tuple(masks.shape)}; let the pipeline resize, crop and pad it with the image'
            )
        return (masks != 0).to(batch_inputs.device, torch.float32, non_blocking=True)


def _stacked(samples: Sequence[Any]) -> Tensor:
    """Return the masks of data samples, or of a list of masks, in one tensor."""
    joined = getattr(samples, 'masks', None)  # of a resident set, one tensor already
    if joined is not None:
        return joined
    masks = [_mask_of(sample, number) for number, sample in enumerate(samples)]
    shapes = {tuple(mask.shape) for mask in masks}
    if len(shapes) != 1:
        raise ValueError(
            f'gt_mask must have one size in a batch, got {sorted(shapes)}; let the pipeline '
            'resize and crop it with the image'
        )
    return torch.stack(masks)


def _mask_of(sample: Any, number: int) -> Tensor:
    if isinstance(sample, (np.ndarray, Tensor)):
        return torch.as_tensor(sample)
    mask = sample.get(FIELD) if hasattr(sample, 'get') else None
    if mask is None:
        raise ValueError(
            f'data sample {number} of the batch has no gt_mask, which TrueMasks needs; use a data '
            "set that has masks, and PackInputs(meta_keys=(..., 'gt_mask'))"
        )
    return torch.as_tensor(mask)
