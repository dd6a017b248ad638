"""Images to lossless PNG and back, in the channel order of their set."""

from __future__ import annotations

import cv2
import numpy as np

from mmtmix.checks import check_choice

CHANNEL_ORDERS = ('rgb', 'bgr')


def encode_image(image: np.ndarray, channel_order: str) -> bytes:
    """Encode an image as PNG, which shows its true colours in any viewer.

    Args:
        image: Image, uint8 ``(H, W)`` for grey or ``(H, W, 3)`` for colour, in [0, 255].
        channel_order: Order of the image's channels, ``'rgb'`` or ``'bgr'``; a grey image has
            none.

    Returns:
        The PNG.

    Raises:
        ValueError: If the image is none of the above, or ``channel_order`` is invalid.
    """
    _check_order(channel_order)
    is_image = isinstance(image, np.ndarray) and image.dtype == np.uint8 and image.size > 0
    if not is_image or not (image.ndim == 2 or (image.ndim == 3 and image.shape[2] == 3)):
        got = getattr(image, 'shape', type(image).__name__), getattr(image, 'dtype', None)
        raise ValueError(
            'image must be a uint8 array of shape (H, W) for grey or (H, W, 3) for colour, got '
            f'{got[0]} of dtype {got[1]}; squeeze a single channel, clamp and round a float image.'
        )
    image = np.ascontiguousarray(image)
    if image.ndim == 3 and channel_order == 'rgb':
        image = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)  # OpenCV takes BGR and stores RGB
    done, data = cv2.imencode('.png', image)
    if not done:
        raise ValueError(f'OpenCV could not encode an image of shape {image.shape} as PNG.')
    return data.tobytes()


def decode_image(data: bytes, channel_order: str) -> np.ndarray:
    """Decode a PNG of :func:`encode_image`.

    Args:
        data: Bytes of the PNG.
        channel_order: Order of the channels to return, ``'rgb'`` or ``'bgr'``.

    Returns:
        A writable image, uint8 ``(H, W)`` if the PNG is grey, else ``(H, W, 3)``.

    Raises:
        ValueError: If ``data`` is no such image, or ``channel_order`` is invalid.
    """
    _check_order(channel_order)
    if not data:
        raise ValueError('data is empty, expected a PNG.')
    image = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), cv2.IMREAD_UNCHANGED)
    if image is None:
        raise ValueError(
            f'data is no image that OpenCV can decode: {len(data)} bytes, '
            f'starting with 0x{data[:8].hex()}.'
        )
    if image.dtype != np.uint8 or not (image.ndim == 2 or image.shape[2] == 3):
        raise ValueError(
            f'data holds an image of shape {image.shape} and dtype {image.dtype}, expected uint8 '
            'of shape (H, W) or (H, W, 3).'
        )
    if image.ndim == 3 and channel_order == 'rgb':
        image = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
    return image


def _check_order(channel_order: str) -> None:
    """Raise ValueError unless ``channel_order`` is one of the two."""
    check_choice('channel_order', channel_order, CHANNEL_ORDERS)
