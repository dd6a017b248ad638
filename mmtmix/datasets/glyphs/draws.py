"""Random numbers by their place, so that each image has its own."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_STEP = np.uint64(0x9E3779B97F4A7C15)
_FACTORS = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
_BYTES = 8
_BYTE_VARIANCE = (256**2 - 1) / 12

Numbers = NDArray[np.float64]


class Draws:
    """Draws numbers that depend on the seed, the image and their name alone.

    A number is the mix of SplitMix64 (Steele et al., 2014) of these three. So an image is the
    same in a set of 1,000 and in one of 30,000, and no order or version of NumPy changes it.

    Args:
        seed: Seed, >= 0.
        stream: Number of the split, >= 0.
        images: Numbers of the N images, int64 (N,).
    """

    def __init__(self, seed: int, stream: int, images: NDArray[np.int64]):
        start = _mix(_mix(np.full(1, seed, np.uint64) + _STEP) + np.uint64(stream))
        self._keys = _mix(start + _STEP * images.astype(np.uint64))

    def uniform(self, slot: int, low: float = 0.0, high: float = 1.0) -> Numbers:
        """Draw a number per image, (N,) in [low, high).

        Args:
            slot: Number of the draw within an image, >= 0.
            low: Smallest value.
            high: Bound from above.
        """
        bits = self._bits(slot) >> np.uint64(11)
        return low + (high - low) * (bits.astype(np.float64) * 2.0**-53)

    def integer(self, slot: int, count: int) -> NDArray[np.int64]:
        """Draw an integer per image, int64 (N,) in [0, count).

        Args:
            slot: Number of the draw within an image, >= 0.
            count: Number of values, >= 1.
        """
        return (self.uniform(slot) * count).astype(np.int64)

    def normal(self, slot: int, count: int) -> NDArray[np.float32]:
        """Draw numbers that are close to normal, float32 (N, count), with mean 0 and variance 1.

        Each is the sum of eight random bytes, scaled; none exceeds 4.9.

        Args:
            slot: Number of the draw within an image, >= 0.
            count: Number of numbers per image, >= 1.
        """
        keys = self._bits(slot)
        bits = _mix(keys[:, None] + _STEP * np.arange(count, dtype=np.uint64))
        total = bits.view(np.uint8).reshape(len(keys), count, _BYTES).sum(-1, dtype=np.float32)
        return (total - _BYTES * 127.5) / np.float32((_BYTES * _BYTE_VARIANCE) ** 0.5)

    def _bits(self, slot: int) -> NDArray[np.uint64]:
        # an array, since NumPy warns of the overflow of a scalar, which is meant here
        return _mix(self._keys + _STEP * np.array([slot + 1], np.uint64))


def _mix(bits: NDArray[np.uint64]) -> NDArray[np.uint64]:
    bits = (bits ^ (bits >> np.uint64(30))) * _FACTORS[0]
    bits = (bits ^ (bits >> np.uint64(27))) * _FACTORS[1]
    return bits ^ (bits >> np.uint64(31))
