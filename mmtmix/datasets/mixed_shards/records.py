"""The records of mixed images, and the bytes of a shard of them.

A shard is one `safetensors <https://huggingface.co/docs/safetensors>`_ container: the images, a
checksum of each in ``crc32``, and the fields of :class:`MixedRecords`. A shard of format 1 holds
PNGs one after another, and their bounds in ``offsets``. A shard of format 2 holds one array of raw
pixels. Any safetensors reader opens it; nothing in it is executed.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from safetensors.numpy import save

from mmtmix.checks import check_integer, check_text

from .images import check_images

FORMATS = {1: 'png', 2: 'raw'}
"""Encoding of the images in shards and sets of each format."""

PNG_FORMAT, RAW_FORMAT = FORMATS

# One metadata key holds them all as JSON: safetensors writes several in an order that changes
# from process to process, and equal records must give equal bytes.
METADATA_KEY = 'mmtmix'

FIELDS: dict[str, tuple[type, int]] = {
    'sources': (np.int64, 2),
    'flips': (np.bool_, 2),
    'weights': (np.float32, 2),
    'classes': (np.int64, 2),
    'targets': (np.float32, 2),
    'winners': (np.int64, 1),
    'iterations': (np.int64, 1),
    'finished': (np.bool_, 1),
}
"""Type and dimensions of each array of a record."""

HEADER_KEYS = ('format', 'number', 'settings_digest', 'statistics')

INDEX_ARRAYS = {PNG_FORMAT: ('crc32', 'offsets', *FIELDS), RAW_FORMAT: ('crc32', *FIELDS)}
"""Names of all arrays but the images, by format."""

SIMPLEX_TOLERANCE = 1e-4  # float32 weights of a few images sum to 1 within some 1e-7


@dataclass(frozen=True, eq=False)
class MixedRecords:
    """The mixed images of a shard and how each was made: n records of k sources each.

    Args:
        images: List of n PNGs of :func:`encode_image`, or the raw pixels of
            :func:`~mmtmix.datasets.mixed_shards.raw_images`, uint8 ``(n, H, W)`` or
            ``(n, H, W, 3)``.
        sources: Indices of the source images in their data set, int64 ``(n, k)``.
        flips: Flags of sources that were flipped horizontally, bool ``(n, k)``.
        weights: Shares of the sources in the label, float32 ``(n, k)`` on the simplex.
        classes: Class of each source, int64 ``(n, k)``.
        targets: Probabilities of the teacher for the mix, float32 ``(n, num_classes)`` in [0, 1].
        winners: Class of each mix with the highest of its ``targets``, int64 ``(n,)``.
        iterations: Number of steps of the solver, int64 ``(n,)``.
        finished: Flags of mixes whose most probable classes are those of the sources, bool
            ``(n,)``.

    Raises:
        ValueError: If there is no record, or a field has the wrong type, dimensions or length.
    """

    images: list[bytes] | np.ndarray
    sources: np.ndarray
    flips: np.ndarray
    weights: np.ndarray
    classes: np.ndarray
    targets: np.ndarray
    winners: np.ndarray
    iterations: np.ndarray
    finished: np.ndarray

    def __post_init__(self) -> None:
        """Check that the fields belong together."""
        images = self.images
        if isinstance(images, np.ndarray):
            check_images(images)
        elif not isinstance(images, list) or not images or not all(map(_is_filled, images)):
            raise ValueError(
                'images must be a list of at least one PNG as non-empty bytes, or an array of raw '
                'pixels.'
            )
        for name, (dtype, ndim) in FIELDS.items():
            _check_field(name, getattr(self, name), dtype, ndim, len(images))
        for name in ('flips', 'weights', 'classes'):
            shape = getattr(self, name).shape
            if shape != self.sources.shape:
                raise ValueError(
                    f'{name} must have the shape of sources, {self.sources.shape}, got {shape}.'
                )

    def __len__(self) -> int:
        return len(self.images)

    @property
    def format(self) -> int:
        """The format of a shard of these records, a key of :data:`FORMATS`."""
        return RAW_FORMAT if isinstance(self.images, np.ndarray) else PNG_FORMAT


def pack_shard(
    records: MixedRecords,
    number: int,
    settings_digest: str,
    statistics: Mapping[str, int] | None = None,
) -> bytes:
    """Put records into one container; equal arguments give equal bytes.

    Args:
        records: The records.
        number: Number of the shard within its set, >= 0.
        settings_digest: Digest of the settings of the generation.
        statistics: Counts that the generator reads when it continues.

    Returns:
        The content of the file :func:`shard_name` of ``number``.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If ``number`` is negative or ``settings_digest`` is empty.
    """
    check_integer('number', number, 0)
    check_text('settings_digest', settings_digest)
    arrays = dict(crc32=np.array([zlib.crc32(image) for image in records.images], np.uint32))
    if isinstance(records.images, np.ndarray):
        arrays['images'] = np.ascontiguousarray(records.images)
    else:
        sizes = [len(image) for image in records.images]
        arrays['images'] = np.frombuffer(b''.join(records.images), dtype=np.uint8)
        arrays['offsets'] = np.cumsum([0, *sizes], dtype=np.int64)
    for field in fields(records):
        if field.name != 'images':
            # safetensors would store the memory of a strided array in the wrong order
            arrays[field.name] = np.ascontiguousarray(getattr(records, field.name))
    header: dict[str, Any] = {
        'format': records.format,
        'number': number,
        'settings_digest': settings_digest,
        'statistics': dict(statistics or {}),
    }
    header['index_sha256'] = index_digest(header, arrays)
    return save(arrays, metadata={METADATA_KEY: json.dumps(header, sort_keys=True)})


def index_digest(header: Mapping, arrays: Mapping[str, np.ndarray]) -> str:
    """Digest every bit of a shard but its images.

    Args:
        header: Metadata by key; keys that are not in ``HEADER_KEYS`` are left out.
        arrays: Arrays by name. Of raw images the shape counts; each has its own checksum.

    Returns:
        A SHA-256 in hexadecimal.
    """
    digest = hashlib.sha256()
    identity = [header[key] for key in HEADER_KEYS]
    digest.update(json.dumps(identity, sort_keys=True).encode())
    for name in sorted(INDEX_ARRAYS[header['format']]):
        array = arrays[name]
        digest.update(f'{name} {array.dtype.str} {array.shape}\n'.encode())
        digest.update(np.ascontiguousarray(array).data)
    if header['format'] == RAW_FORMAT:
        images = arrays['images']
        digest.update(f'images {images.dtype.str} {images.shape}\n'.encode())
    return digest.hexdigest()


def find_fault(index: Mapping[str, np.ndarray]) -> tuple[int, str] | None:
    """Find the first record whose values contradict their meaning.

    Args:
        index: Arrays of a shard by the names in ``FIELDS``.

    Returns:
        The record and its fault in words; None if there is none.
    """
    targets, weights, classes = index['targets'], index['weights'], index['classes']
    num_classes = targets.shape[1]
    winners = np.clip(index['winners'], 0, num_classes - 1)
    # Comparing values, not positions, lets either of two equal classes win.
    won = targets[np.arange(len(targets)), winners] == targets.max(axis=1)
    is_simplex = abs(weights.sum(axis=1, dtype=np.float64) - 1) <= SIMPLEX_TOLERANCE
    is_probable = (targets >= 0) & (targets <= 1 + SIMPLEX_TOLERANCE)
    checks = {
        'targets are not probabilities in [0, 1]': is_probable.all(axis=1),
        'winners is not the most probable class': won & (winners == index['winners']),
        'weights are negative or do not sum to 1': (weights >= 0).all(axis=1) & is_simplex,
        f'classes are not in [0, {num_classes})': ((classes >= 0) & (classes < num_classes)).all(
            axis=1
        ),
        'sources are negative': (index['sources'] >= 0).all(axis=1),
    }
    faults = [(int(np.argmin(good)), what) for what, good in checks.items() if not good.all()]
    return min(faults, default=None)


def _is_filled(data: object) -> bool:
    """Return whether ``data`` is bytes and not empty."""
    return isinstance(data, bytes) and len(data) > 0


def _check_field(name: str, array: object, dtype: type, ndim: int, length: int) -> None:
    """Raise ValueError unless ``array`` has this type, these dimensions and this length."""
    if not isinstance(array, np.ndarray):
        raise ValueError(f'{name} must be a numpy array, got {type(array).__name__}.')
    if array.dtype != dtype:
        raise ValueError(f'{name} must be of dtype {np.dtype(dtype)}, got {array.dtype}.')
    if array.ndim != ndim or len(array) != length or not array.size:
        expected = f'({length},)' if ndim == 1 else f'({length}, at least 1)'
        raise ValueError(
            f'{name} must have the shape {expected} for {length} images, got {array.shape}.'
        )
