"""Checks of a teacher's logits and maps before images are mixed by them."""

from __future__ import annotations

import logging

from mmengine.logging import print_log
from torch import Tensor

from mmtmix.functional import min_max
from mmtmix.models.late_verdict import FiniteCheck

from .layouts import fits_image

LOGITS_CURE = (
    'its training has diverged, its precision is too small for it, or its images are '
    "not finite: give another checkpoint, set dtype='float32' in the teacher, or look for damaged "
    'images'
)

_ENOUGH_IMAGES = 16  # so many images without any saliency are no coincidence


def check_logits(logits: Tensor, inputs: Tensor) -> None:
    """Refuse logits that are not finite.

    Args:
        logits: Logits of a teacher, (N, num_classes).
        inputs: Images of the logits, (N, C, H, W).

    Raises:
        ValueError: If there is NaN or infinity among them.
    """
    if logits.detach().isfinite().all():
        return
    if not inputs.detach().isfinite().all():
        raise ValueError(
            f'the images for the teacher, of shape {tuple(inputs.shape)}, hold NaN or '
            'infinity; look for damaged images or a std of 0 in a data_preprocessor'
        )
    raise ValueError(
        "the teacher's logits hold NaN or infinity; its training has diverged, or its precision "
        f"({logits.dtype}) is too small for it: give another checkpoint, or set dtype='float32' "
        'in the teacher'
    )


def check_maps(maps: Tensor, inputs: Tensor, source: str, cure: str, before: int = 0) -> bool:
    """Refuse maps that don't depend on their images.

    Args:
        maps: Raw maps, (N, 1, h, w).
        inputs: Images of the maps, (N, C, H, W).
        source: Kind and layer of the maps, in words.
        cure: Advice.
        before: Number of images before these, >= 0, all of whose maps were constant.

    Returns:
        Whether the check is settled; a few images without any saliency may be coincidence.

    Raises:
        ValueError: If their aspect is not that of the images, one is not finite, or all of them
            are constant.
    """
    whose, size = f"the teacher's maps, {source},", (inputs.size(-2), inputs.size(-1))
    if not fits_image(maps.size(-2), maps.size(-1), size):
        raise ValueError(
            f'{whose} are of {tuple(maps.shape[-2:])} cells, which is not the aspect of images of '
            f'{size} pixels; {cure}'
        )
    if not maps.isfinite().all():
        raise ValueError(
            f"{whose} hold NaN or infinity; set dtype='float32' in the teacher, or {cure}"
        )
    if maps.size(-2) * maps.size(-1) == 1:
        raise ValueError(
            f'{whose} are of a single cell for images of {size} pixels; use larger images, or '
            f'{cure}'
        )
    if min_max(maps).any():
        return True
    total = before + len(maps)
    if total < _ENOUGH_IMAGES:
        if not before:
            warning = f'{whose} are constant for all of the first {total} images'
            print_log(warning, logger='current', level=logging.WARNING)
        return False
    raise ValueError(
        f'{whose} are constant for each of the first {total} images (values '
        f'{float(maps.amin()):.3g} to {float(maps.amax()):.3g}). For a teacher of other classes '
        f"than the labels set cam_class='predicted'; otherwise {cure}"
    )


class MapsCheck:
    """Checks the first maps of a teacher thoroughly, and later ones for NaN and infinity.

    Args:
        name: Name of the maps in the error about later ones.
        cure: Advice for the errors about the first ones.
    """

    def __init__(self, name: str, cure: str):
        self.cure = cure
        self._is_settled = False
        self._constant = 0  # images before the present ones, all of whose maps were constant
        self._check_finite = FiniteCheck(name, LOGITS_CURE)

    def __call__(self, maps: Tensor, inputs: Tensor, source: str) -> None:
        """Check the maps of a batch.

        Args:
            maps: Raw maps, (N, 1, h, w).
            inputs: Images of the maps, (N, C, H, W).
            source: Kind and layer of the maps, in words.

        Raises:
            ValueError: As :func:`check_maps`; of later maps if one is not finite, on CUDA late.
        """
        if self._is_settled:
            self._check_finite(maps)
            return
        self._is_settled = check_maps(maps, inputs, source, self.cure, self._constant)
        self._constant += len(maps)
