"""Corruptions of test images: noise, blur, weather and digital faults."""

from __future__ import annotations

import contextlib
import io
import time
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform
from mmpretrain.registry import TRANSFORMS
from numpy.typing import NDArray

from mmtmix.checks import check_choice, check_integer

GROUPS = {
    'noise': ('gaussian_noise', 'shot_noise', 'impulse_noise'),
    'blur': ('defocus_blur', 'glass_blur', 'motion_blur', 'zoom_blur'),
    'weather': ('snow', 'frost', 'fog', 'brightness'),
    'digital': ('contrast', 'elastic_transform', 'pixelate', 'jpeg_compression'),
}
"""The 15 kinds of Hendrycks and Dietterich (2019) by group."""

KINDS = tuple(kind for kinds in GROUPS.values() for kind in kinds)
SEVERITIES = (1, 2, 3, 4, 5)
_LEAST_SIDE = 32  # of the library
_SEEDED = ('glass_blur', 'impulse_noise')  # kinds that draw from generators of their own


@TRANSFORMS.register_module()
class Corrupt(BaseTransform):
    """Corrupts an image as ImageNet-C does, always in the same way.

    ``imagecorruptions`` (Michaelis et al., 2019) draws the corruptions. The draw depends on the
    number of the image in its data set, the kind, the severity and ``seed`` alone. So every run
    and every worker sees the same image.

    Strengths are those of ImageNet-C for photos of 224 pixels, at any size of image. CIFAR-C has
    other, weaker ones. Some kinds are drawn by other code than ImageNet-C's: glass and motion
    blur, snow, elastic transform and pixelate. So errors are not those on the published sets.

    Images with a side below 32 pixels are reflected at their borders, and cut afterwards. Grey
    images are corrupted as colour images, and their second channel is kept, so that noise has
    its strength.

    **Required keys:** ``img``, uint8 (H, W), (H, W, 1) or (H, W, 3), and ``sample_idx``.
    **Modified keys:** ``img``, of the same shape and dtype.

    Args:
        kind: Kind of corruption, one of :data:`KINDS`.
        severity: Strength, 1 to 5.
        channel_order: Order of an image's channels at this place, ``'rgb'`` or ``'bgr'``.
        seed: Seed of the draws, >= 0.

    Raises:
        ImportError: If imagecorruptions is missing, with the command that installs it.
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range.
    """

    def __init__(self, kind: str, severity: int, channel_order: str, seed: int = 0):
        check_choice('kind', kind, KINDS)
        check_integer('severity', severity, 1, 5)
        check_choice('channel_order', channel_order, ('rgb', 'bgr'))
        check_integer('seed', seed, 0)
        corrupter()
        self.kind, self.severity = kind, severity
        self.order, self.seed = channel_order, seed

    def transform(self, results: dict) -> dict:
        """Corrupt the image.

        Args:
            results: Sample with ``img`` and ``sample_idx``.

        Raises:
            TypeError: If the image is no uint8 array.
        """
        image = results['img']
        if not isinstance(image, np.ndarray) or image.dtype != np.uint8:
            found = getattr(image, 'dtype', type(image).__name__)
            raise TypeError(
                f'{self.kind} needs images as uint8 arrays of 0 to 255 ahead of PackInputs, got '
                f'{found}; leave normalisation to the data_preprocessor'
            )
        number = int(results.get('sample_idx', 0))
        entropy = (self.seed, number, KINDS.index(self.kind), self.severity)
        seed = int(np.random.SeedSequence(entropy).generate_state(1)[0])
        is_swapped = self.order == 'bgr' and image.ndim == 3 and image.shape[2] == 3
        given = image[..., ::-1] if is_swapped else image
        found = corrupt(given, self.kind, self.severity, seed)
        found = found[..., ::-1] if is_swapped else found
        return {**results, 'img': np.ascontiguousarray(found)}

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(kind={self.kind!r}, severity={self.severity}, '
            f'channel_order={self.order!r}, seed={self.seed})'
        )


def corrupt(image: NDArray[np.uint8], kind: str, severity: int, seed: int) -> NDArray[np.uint8]:
    """Return a corrupted image.

    Args:
        image: Image in RGB, uint8 (H, W), (H, W, 1) or (H, W, 3); it is not changed.
        kind: Kind of corruption.
        severity: Strength, 1 to 5.
        seed: Seed of the draw, 0 to 2**32 - 1.

    Returns:
        Image of the same shape, uint8.

    Raises:
        ImportError: If imagecorruptions is missing.
    """
    height, width = image.shape[:2]
    colour = image.reshape(height, width, -1)
    colour = np.repeat(colour, 3, axis=2) if colour.shape[2] == 1 else colour
    rows, columns = (_to_least_side(side) for side in (height, width))
    padded = np.pad(colour, (rows, columns, (0, 0)), 'reflect')
    own = dict(seed=seed) if kind in _SEEDED else {}
    kept = np.random.get_state()  # noqa: NPY002  (what the library draws from)
    np.random.seed(seed)  # noqa: NPY002
    try:
        # it prints that it handled an exception of its own
        with contextlib.redirect_stdout(io.StringIO()):
            found = corrupter()(padded, severity=severity, corruption_name=kind, **own)
    finally:
        np.random.set_state(kept)  # noqa: NPY002
    cut = found[rows[0] : rows[0] + height, columns[0] : columns[0] + width]
    is_grey = image.ndim == 2 or image.shape[2] == 1
    return (cut[..., 1] if is_grey else cut).reshape(image.shape).astype(np.uint8)


@cache
def corrupter() -> Callable[..., Any]:
    """Return the function of the library.

    Raises:
        ImportError: If it is missing, with the command that installs it.
    """
    try:
        from imagecorruptions import corrupt as found
    except ImportError as error:
        raise ImportError(
            f"corruptions need imagecorruptions ({error}): pip install 'mmtmix[corruptions]'"
        ) from error
    return found


def compile_corruptions() -> float:
    """Compile what the library compiles at its first use, and return the seconds that it took."""
    start = time.perf_counter()
    image = np.zeros((_LEAST_SIDE, _LEAST_SIDE, 3), np.uint8)
    for severity in SEVERITIES:
        corrupt(image, 'glass_blur', severity, seed=0)
    return time.perf_counter() - start


def _to_least_side(side: int) -> tuple[int, int]:
    missing = max(_LEAST_SIDE - side, 0)
    return missing // 2, missing - missing // 2
