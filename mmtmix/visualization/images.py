"""Turn tensors into pictures."""

from __future__ import annotations

import numpy as np
import torch
from matplotlib.axes import Axes
from torch import Tensor

from mmtmix.checks import check_choice
from mmtmix.models.teachers import InputStats
from mmtmix.models.teachers.channel_order import CHANNEL_ORDERS

_ORDER_CURE = (
    "where the images' config does not determine it, give --channel-order to the tool, or declare "
    "it as a class attribute of the data set, channel_order = 'rgb' or 'bgr'"
)
_CAM_COLORS, _CAM_ALPHA = 'jet', 0.45


def to_array(tensor: Tensor) -> np.ndarray:
    """Return a tensor of any device and precision as a float32 array."""
    return tensor.detach().to('cpu', torch.float32).numpy()


def denormalize(images: Tensor, stats: InputStats, channel_order: str = 'rgb') -> np.ndarray:
    """Return normalised images as pictures in [0, 1].

    Args:
        images: Normalised images, (..., C, H, W), C 1 or 3.
        stats: Normalisation of the images. Without mean and std they are pixels in 0-255.
        channel_order: Order of the channels in ``images``: ``'bgr'`` where the pipeline loads
            BGR and the preprocessor doesn't swap (``to_rgb=False``).

    Returns:
        RGB pictures (..., H, W, 3), or grey ones (..., H, W), float32 clipped to [0, 1].

    Raises:
        ValueError: If there are neither 1 nor 3 channels, or mean and std are for another
            number, or the order is unknown.
    """
    if images.dim() < 3 or images.size(-3) not in (1, 3):
        raise ValueError(
            'images must be grey or colour, (..., C, H, W) with C = 1 or 3, got shape '
            f'{tuple(images.shape)}'
        )
    channels = images.size(-3)
    if channels == 3:  # a grey image has none
        check_choice('channel_order', channel_order, CHANNEL_ORDERS, cure=_ORDER_CURE)
    mean = np.asarray(stats.mean or (0.0,), dtype=np.float32)
    std = np.asarray(stats.std or (1.0,), dtype=np.float32)
    for name, values in (('mean', mean), ('std', std)):
        if len(values) not in (1, channels):
            raise ValueError(
                f'stats.{name} has {len(values)} values and the images {channels} channels; give '
                'the stats of the data_preprocessor that normalised them'
            )
    pixels = to_array(images) * std[:, None, None] + mean[:, None, None]
    pixels = np.moveaxis(pixels / 255, -3, -1).clip(0, 1)
    if channels == 1:
        return pixels[..., 0]
    return pixels[..., ::-1] if channel_order == 'bgr' else pixels


def scale_saliency(saliency: Tensor) -> np.ndarray:
    """Return maps of any range, each scaled from its least to its largest value.

    A map that is constant becomes 0.

    Args:
        saliency: Maps (..., h, w), finite.

    Returns:
        Maps (..., h, w) in [0, 1], float32.
    """
    maps = to_array(saliency)
    low, high = (end(axis=(-2, -1), keepdims=True) for end in (maps.min, maps.max))
    span = high - low
    return np.divide(maps - low, span, out=np.zeros_like(maps), where=span > 0)


def show_picture(axes: Axes, picture: np.ndarray, saliency: np.ndarray | None = None) -> None:
    """Show a picture and, if given, its saliency as a heat map on it.

    Args:
        axes: Cell in which to show it.
        picture: Picture in [0, 1]: RGB (H, W, 3), or grey (H, W), such as a mask.
        saliency: Heat map (h, w) in [0, 1], of any size; None for none.
    """
    axes.imshow(picture, cmap='gray', vmin=0, vmax=1)
    if saliency is None:
        return
    height, width = picture.shape[:2]
    axes.imshow(
        saliency,
        cmap=_CAM_COLORS,
        alpha=_CAM_ALPHA,
        vmin=0,
        vmax=1,
        interpolation='bilinear',
        extent=(-0.5, width - 0.5, height - 0.5, -0.5),
    )
