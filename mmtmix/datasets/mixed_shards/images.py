"""Images to stored bytes and back, in the channel order of their set.

Small images are stored as raw pixels, which are read faster than a PNG is decoded. A PNG is
smaller, which matters for large images.
"""

from __future__ import annotations

import cv2
import numpy as np

from mmtmix.checks import check_choice

CHANNEL_ORDERS = ('rgb', 'bgr')

RAW_BYTES = 64 * 64 * 3
"""Size in bytes of the largest image that new sets store as raw pixels.

The bytes that a PNG saves grow with the image. So sets of large images stay small on disk.
"""


def check_images(images: np.ndarray, name: str = 'images', batched: bool = True) -> None:
    """Refuse what is no image, or no batch of images.

    Args:
        images: Image, uint8 ``(H, W)`` for grey or ``(H, W, 3)`` for colour, in [0, 255], or a
            batch ``(N, H, W)`` or ``(N, H, W, 3)`` of them.
        name: Name of the argument.
        batched: Whether it is a batch.

    Raises:
        ValueError: If it is none of the above.
    """
    lead = 'N, ' if batched else ''
    shape = getattr(images, 'shape', ())[batched:]
    is_image = isinstance(images, np.ndarray) and images.dtype == np.uint8 and images.size > 0
    if not is_image or not (len(shape) == 2 or (len(shape) == 3 and shape[2] == 3)):
        got = getattr(images, 'shape', type(images).__name__), getattr(images, 'dtype', None)
        raise ValueError(
            f'{name} must be a uint8 array of shape ({lead}H, W) for grey or ({lead}H, W, 3) for '
            f'colour, got {got[0]} of dtype {got[1]}; squeeze a single channel, clamp and round a '
            'float image.'
        )


def swap_channels(images: np.ndarray) -> np.ndarray:
    """Return images with their colour channels in the opposite order; grey ones unchanged.

    Args:
        images: Contiguous images, uint8 ``(H, W)``, ``(H, W, 3)`` or ``(N, H, W, 3)``.
    """
    if not images.size or images.ndim < 3 or images.shape[-1] != 3:
        return images
    # OpenCV takes one image: rows of a batch are rows of a high image
    high = images.reshape(-1, *images.shape[-2:])
    return cv2.cvtColor(high, cv2.COLOR_RGB2BGR).reshape(images.shape)


def raw_images(images: np.ndarray, channel_order: str) -> np.ndarray:
    """Return images as a shard stores raw pixels: contiguous, colours in the order RGB.

    Args:
        images: Images, uint8 ``(N, H, W)`` for grey or ``(N, H, W, 3)`` for colour.
        channel_order: Order of the images' channels, ``'rgb'`` or ``'bgr'``.

    Raises:
        ValueError: If an argument is none of the above.
    """
    check_order(channel_order)
    check_images(images)
    images = np.ascontiguousarray(images)
    return swap_channels(images) if channel_order == 'bgr' and images.ndim == 4 else images


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
    check_order(channel_order)
    check_images(image, 'image', batched=False)
    image = np.ascontiguousarray(image)
    # OpenCV takes BGR and stores RGB
    done, data = cv2.imencode('.png', swap_channels(image) if channel_order == 'rgb' else image)
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
    check_order(channel_order)
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
    return swap_channels(image) if channel_order == 'rgb' else image


def check_order(channel_order: str) -> None:
    """Refuse an order that is none.

    Args:
        channel_order: Order of colour channels.

    Raises:
        ValueError: If it is neither ``'rgb'`` nor ``'bgr'``.
    """
    check_choice('channel_order', channel_order, CHANNEL_ORDERS)
