"""The operations of AugMix's chains, by Pillow.

Each takes an image and a level in [0, 10], and draws a sign itself where it has one. The ranges
are those of the authors' code.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

MAX_LEVEL = 10

Operation = Callable[[Image.Image, float], Image.Image]


def _autocontrast(image: Image.Image, level: float) -> Image.Image:
    return ImageOps.autocontrast(image)


def _equalize(image: Image.Image, level: float) -> Image.Image:
    return ImageOps.equalize(image)


def _posterize(image: Image.Image, level: float) -> Image.Image:
    # at level 10 the authors' code would keep no bits, which Pillow refuses in some versions
    return ImageOps.posterize(image, max(4 - int(_scale(level, 4)), 1))


def _solarize(image: Image.Image, level: float) -> Image.Image:
    return ImageOps.solarize(image, 256 - int(_scale(level, 256)))


def _rotate(image: Image.Image, level: float) -> Image.Image:
    degrees = _signed(int(_scale(level, 30)))
    return image.rotate(degrees, resample=Image.Resampling.BILINEAR)


def _shear_x(image: Image.Image, level: float) -> Image.Image:
    return _affine(image, (1, _signed(_scale(level, 0.3)), 0, 0, 1, 0))


def _shear_y(image: Image.Image, level: float) -> Image.Image:
    return _affine(image, (1, 0, 0, _signed(_scale(level, 0.3)), 1, 0))


def _translate_x(image: Image.Image, level: float) -> Image.Image:
    return _affine(image, (1, 0, _signed(int(_scale(level, image.width / 3))), 0, 1, 0))


def _translate_y(image: Image.Image, level: float) -> Image.Image:
    return _affine(image, (1, 0, 0, 0, 1, _signed(int(_scale(level, image.height / 3)))))


def _enhance(kind: type) -> Operation:
    return lambda image, level: kind(image).enhance(_scale(level, 1.8) + 0.1)


OPERATIONS: dict[str, Operation] = dict(
    autocontrast=_autocontrast,
    equalize=_equalize,
    posterize=_posterize,
    rotate=_rotate,
    solarize=_solarize,
    shear_x=_shear_x,
    shear_y=_shear_y,
    translate_x=_translate_x,
    translate_y=_translate_y,
)
# Corruptions of ImageNet-C and CIFAR-C are among these: training with them spoils that test.
CORRUPTIONS: dict[str, Operation] = dict(
    color=_enhance(ImageEnhance.Color),
    contrast=_enhance(ImageEnhance.Contrast),
    brightness=_enhance(ImageEnhance.Brightness),
    sharpness=_enhance(ImageEnhance.Sharpness),
)


def _scale(level: float, maximum: float) -> float:
    return level * maximum / MAX_LEVEL


def _signed(value: float) -> float:
    return -value if np.random.random() > 0.5 else value  # noqa: NPY002  (as MMPretrain draws)


def _affine(image: Image.Image, matrix: tuple[float, ...]) -> Image.Image:
    """Return an image after an affine transform; pixels from outside of it are black."""
    return image.transform(
        image.size, Image.Transform.AFFINE, matrix, resample=Image.Resampling.BILINEAR
    )
