"""AugMix."""

from __future__ import annotations

import numpy as np
from mmcv.transforms import BaseTransform
from mmpretrain.registry import TRANSFORMS
from PIL import Image

from mmtmix.checks import check_choice, check_flag, check_integer, check_number

from .augmix_operations import CORRUPTIONS, MAX_LEVEL, OPERATIONS

CHANNEL_ORDERS = ('bgr', 'rgb')
_NUM_AUGMENTED = 2
_MAX_DEPTH = 3
# below it an operation would do nothing
_MIN_LEVEL = 0.1


@TRANSFORMS.register_module()
class AugMix(BaseTransform):
    """Mixes an image with results of chains of operations on it.

    `AugMix <https://arxiv.org/abs/1912.02781>`_, Algorithm 1: ``width`` chains of operations are
    applied to the image. Their results are averaged by weights from Dir(alpha), and the average is
    blended with the image by a weight from Beta(alpha, alpha). Operations, ranges and levels are
    those of the authors' code, with levels uniform between 0.1 and ``severity``. torchvision's
    ``AugMix`` has other levels, 0 among them, and truncates the mix to whole grey values, which
    darkens it. Here it is rounded.

    It belongs after crop and flip, and makes three views for an
    :class:`~mmtmix.models.AugMixClassifier`. Random numbers are NumPy's, as in MMPretrain.

    **Required and modified key:** ``img``, a uint8 image (H, W), (H, W, 1) or (H, W, 3), becomes
    the views (3, C, H, W): clean, augmented, augmented. ``PackInputs`` takes them so.

    Args:
        severity: Largest level of the operations, in [1, 10].
        width: Number of chains, >= 1.
        depth: Number of operations per chain, >= 1; -1 draws 1, 2 or 3 for each.
        alpha: Parameter of both distributions, > 0.
        all_ops: Whether colour, contrast, brightness and sharpness change too. These are
            corruptions of ImageNet-C and CIFAR-C, on which accuracies then mean nothing.
        views: Whether three views are made. False makes one augmented image, of the input's
            shape, for any classifier (the paper's ablation without the Jensen-Shannon loss).
        channel_order: Order of the channels: ``'bgr'``, as MMPretrain loads files, or ``'rgb'``,
            as in CIFAR. It matters only with ``all_ops``.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range.
    """

    def __init__(
        self,
        severity: float = 3,
        width: int = 3,
        depth: int = -1,
        alpha: float = 1.0,
        all_ops: bool = False,
        views: bool = True,
        channel_order: str = 'bgr',
    ):
        check_number('severity', severity, 1, MAX_LEVEL)
        check_integer('width', width, 1, cure='it counts chains')
        if depth != -1:
            check_integer('depth', depth, 1, cure='-1 draws it')
        check_number('alpha', alpha, above=0)
        check_flag('all_ops', all_ops)
        check_flag('views', views)
        check_choice('channel_order', channel_order, CHANNEL_ORDERS)
        self.severity = severity
        self.width = width
        self.depth = depth
        self.alpha = alpha
        self.all_ops = all_ops
        self.views = views
        self.channel_order = channel_order
        self._operations = list((OPERATIONS | (CORRUPTIONS if all_ops else {})).values())

    def transform(self, results: dict) -> dict:
        """Make the views.

        Raises:
            TypeError: If the image is not uint8.
            ValueError: If it has none of the shapes.
        """
        image = results['img']
        if not isinstance(image, np.ndarray) or image.dtype != np.uint8:
            kind = image.dtype if isinstance(image, np.ndarray) else type(image).__name__
            raise TypeError(
                f'AugMix needs uint8 images, got {kind}; put it before what makes them float'
            )
        if image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[2] not in (1, 3)):
            raise ValueError(
                f'AugMix needs images (H, W), (H, W, 1) or (H, W, 3), got {image.shape}'
            )
        if not self.views:
            return {**results, 'img': self.augment(image)}
        views = [image, *(self.augment(image) for _ in range(_NUM_AUGMENTED))]
        stacked = np.stack([view.reshape(*view.shape[:2], -1) for view in views])
        return {**results, 'img': np.ascontiguousarray(stacked.transpose(0, 3, 1, 2))}

    def augment(self, image: np.ndarray) -> np.ndarray:
        """Mix an image once.

        Args:
            image: Image, as for :meth:`transform`.

        Returns:
            A new image of the same shape and type.
        """
        weights = np.random.dirichlet([self.alpha] * self.width)  # noqa: NPY002  (MMPretrain's)
        share = np.random.beta(self.alpha, self.alpha)  # noqa: NPY002
        mix = image.astype(np.float32) * (1 - share)
        for weight in weights.tolist():
            mix += self._chain(image).astype(np.float32) * (share * weight)
        return np.rint(mix).clip(0, 255).astype(np.uint8)

    def _chain(self, image: np.ndarray) -> np.ndarray:
        """Apply operations one after the other."""
        is_bgr = image.ndim == 3 and image.shape[2] == 3 and self.channel_order == 'bgr'
        picture = Image.fromarray(_planes(image[..., ::-1] if is_bgr else image))
        depth = self.depth if self.depth > 0 else np.random.randint(1, _MAX_DEPTH + 1)  # noqa: NPY002
        for _ in range(depth):
            operation = self._operations[np.random.randint(len(self._operations))]  # noqa: NPY002
            level = np.random.uniform(_MIN_LEVEL, self.severity)  # noqa: NPY002
            picture = operation(picture, level)
        array = np.asarray(picture).reshape(image.shape)
        return array[..., ::-1] if is_bgr else array

    def __repr__(self) -> str:
        names = ('severity', 'width', 'depth', 'alpha', 'all_ops', 'views', 'channel_order')
        return f'AugMix({", ".join(f"{name}={getattr(self, name)!r}" for name in names)})'


def _planes(image: np.ndarray) -> np.ndarray:
    """Return an image in the form that Pillow takes: (H, W) or (H, W, 3), contiguous."""
    return np.ascontiguousarray(image[..., 0] if image.shape[2:] == (1,) else image)
