"""Checks of the batch that an augment gets, and of the saliency that it mixes by."""

from __future__ import annotations

from torch import Tensor

from mmtmix.models.late_verdict import FiniteCheck

_INPUTS_CURE = (
    'look for damaged images or a std of 0 in the data_preprocessor, or images in float16 whose '
    'values overflow'
)
_SALIENCY_CURE = (
    'the network that it comes from has diverged, or its precision is too small: train with a '
    'lower learning rate, or in float32'
)


def check_batch(batch_inputs: Tensor, batch_scores: Tensor) -> None:
    """Check that a batch holds floating-point images, and one label per image.

    Args:
        batch_inputs: Images, normalised, (N, C, H, W).
        batch_scores: Labels, (N, num_classes) or (N,).

    Raises:
        TypeError: If the images are none, or not in floating point.
        ValueError: If there are more or fewer labels than images.
    """
    if batch_inputs.dim() != 4 or not batch_inputs.is_floating_point():
        raise TypeError(
            'batch_inputs must be normalised floating-point images (N, C, H, W), got '
            f'{tuple(batch_inputs.shape)} in {batch_inputs.dtype}; use them as they leave '
            'the data_preprocessor'
        )
    if len(batch_scores) != len(batch_inputs):
        raise ValueError(
            f'batch_inputs has {len(batch_inputs)} images and batch_scores '
            f'{len(batch_scores)} labels; give one label per image'
        )


def check_of_inputs() -> FiniteCheck:
    """Return a check that images hold neither NaN nor infinity."""
    return FiniteCheck('batch_inputs', _INPUTS_CURE)


def check_of_saliency(name: str) -> FiniteCheck:
    """Return a check that saliency holds neither NaN nor infinity.

    Args:
        name: Name of the augment.
    """
    return FiniteCheck(f'the saliency for {name}', _SALIENCY_CURE)
