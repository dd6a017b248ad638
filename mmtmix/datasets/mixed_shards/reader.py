"""Read one shard, record by record, and find any damage."""

from __future__ import annotations

import os
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from mmtmix.checks import check_flag, check_integer, check_path, check_text

from .images import check_order, decode_image, encode_image, swap_channels
from .opening import open_shard_file, shard_error
from .records import FIELDS, RAW_FORMAT, find_fault


class ShardReader:
    """A shard on disk: the file is mapped to memory, and only what is used is read.

    Opening reads and checks all but the images. Each image has a checksum of its own, which is
    checked whenever the image is read. A copy that was pickled for another process opens the file
    anew.

    Args:
        path: Path of the file.
        settings_digest: Digest that the shard must have. Defaults to None: any.
        number: Number that the shard must have. Defaults to None: any.
        check_index: Whether the index is compared with its digest, which reads it as a whole.
            False is for a shard that this process has checked. Defaults to True.

    Raises:
        FileNotFoundError: If there is no such file.
        OSError: If the system cannot read it.
        TypeError: If an argument is of another type.
        ValueError: If it is truncated, altered, of another format or set, or no shard at all.
    """

    format: int
    num_records: int
    num_classes: int
    num_mix: int
    statistics: dict[str, int]
    index_sha256: str
    """SHA-256 of the index, and so of the checksums of all images."""

    def __init__(
        self,
        path: str | os.PathLike,
        settings_digest: str | None = None,
        number: int | None = None,
        check_index: bool = True,
    ) -> None:
        check_path('path', path)
        check_flag('check_index', check_index)
        if settings_digest is not None:
            check_text('settings_digest', settings_digest)
        if number is not None:
            check_integer('number', number, 0)
        self.path = os.path.abspath(path)
        self.settings_digest = settings_digest
        self.number = number
        self._check_index = check_index
        self._arrays: dict[str, np.ndarray] | None = self._open()

    def __getstate__(self) -> dict:
        """Leave out the mapped arrays, which belong to this process."""
        return dict(self.__dict__, _arrays=None)

    def __repr__(self) -> str:
        return f'ShardReader({self.path!r}, num_records={self.num_records})'

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """All arrays by name, as views of the mapped file that cannot be written to.

        They are ``images``, ``crc32`` uint32 ``(n,)``, the fields of :class:`MixedRecords`, and
        with PNGs ``offsets`` int64 ``(n + 1,)``. Images that are read from here are not checked.
        """
        if self._arrays is None:  # in a copy from another process
            self._arrays = self._open()
        return self._arrays

    def column(self, name: str) -> np.ndarray:
        """Return an array of the index.

        Args:
            name: Name in :attr:`arrays`.

        Returns:
            The values of all records, which cannot be written to.
        """
        return self.arrays[name]

    def value(self, name: str, record: int) -> np.ndarray:
        """Return one record's part of an array of the index.

        Args:
            name: Name of a field of :class:`MixedRecords`.
            record: Position of the record in the shard, >= 0.

        Returns:
            A scalar or a new array of shape ``(k,)`` or ``(num_classes,)``.

        Raises:
            IndexError: If there is no such record.
        """
        self._check_position(record)
        return self.arrays[name][record].copy()

    def image_bytes(self, record: int) -> bytes:
        """Return the stored bytes of an image: a PNG, or raw pixels in the order RGB.

        Args:
            record: Position of the record in the shard, >= 0.

        Raises:
            IndexError: If there is no such record.
            ValueError: If they have been altered.
        """
        self._check_position(record)
        if self.format == RAW_FORMAT:
            stored = self.arrays['images'][record]
        else:
            start, end = self.arrays['offsets'][record : record + 2].tolist()
            stored = self.arrays['images'][start:end]
        data = stored.tobytes()
        self._check_image(data, record)
        return data

    def png(self, record: int) -> bytes:
        """Return an image as PNG.

        Args:
            record: Position of the record in the shard, >= 0.

        Raises:
            IndexError: If there is no such record.
            ValueError: If the image has been altered.
        """
        if self.format == RAW_FORMAT:
            return encode_image(self.image(record, 'rgb'), 'rgb')
        return self.image_bytes(record)

    def image(self, record: int, channel_order: str) -> np.ndarray:
        """Return an image.

        Args:
            record: Position of the record in the shard, >= 0.
            channel_order: Order of the channels to return, ``'rgb'`` or ``'bgr'``.

        Returns:
            A new array, uint8 ``(H, W)`` or ``(H, W, 3)``.

        Raises:
            IndexError: If there is no such record.
            ValueError: If the image has been altered or cannot be decoded.
        """
        if self.format == RAW_FORMAT:
            self._check_position(record)
            image = self.arrays['images'][record].copy()
            self._check_image(image, record)
            check_order(channel_order)
            return swap_channels(image) if channel_order == 'bgr' else image
        data = self.image_bytes(record)
        try:
            return decode_image(data, channel_order)
        except ValueError as error:
            raise self.error(f'record {record}: {error}') from error

    def images(self, records: np.ndarray, channel_order: str) -> Sequence[np.ndarray] | np.ndarray:
        """Return several images, each checked; from raw pixels by one copy for all.

        Args:
            records: Positions of the records in the shard, int64 ``(N,)``, >= 0.
            channel_order: Order of the channels to return, ``'rgb'`` or ``'bgr'``.

        Returns:
            N new arrays, as from :meth:`image`. Those of raw pixels are parts of one array.

        Raises:
            IndexError: If there is no such record.
            ValueError: If an image has been altered or cannot be decoded.
        """
        if self.format != RAW_FORMAT:
            return [self.image(record, channel_order) for record in records.tolist()]
        check_order(channel_order)
        if len(records):
            self._check_position(int(records.min()))
            self._check_position(int(records.max()))
        images = self.arrays['images'][records]
        found = np.array([zlib.crc32(image) for image in images], dtype=np.uint32)
        wrong = np.flatnonzero(found != self.arrays['crc32'][records])
        if wrong.size:
            self._check_image(images[wrong[0]], int(records[wrong[0]]))
        return swap_channels(images) if channel_order == 'bgr' and images.ndim == 4 else images

    def verify(self) -> tuple[int, ...]:
        """Read and check every record.

        Returns:
            The shape that all images have.

        Raises:
            ValueError: If an image is damaged or of another shape, or a record contradicts
                itself; it names the shard and the record.
        """
        fault = find_fault({name: self.column(name) for name in FIELDS})
        if fault is not None:
            raise self.error(f'record {fault[0]}: {fault[1]}')
        shape = self.image(0, 'rgb').shape
        for record in range(1, self.num_records):
            other = self.image(record, 'rgb').shape
            if other != shape:
                raise self.error(
                    f'record {record}: its image has the shape {other}, that of record 0 {shape}'
                )
        return shape

    def _open(self) -> dict[str, np.ndarray]:
        """Map the file, check all but the images, and return the arrays."""
        header, arrays = open_shard_file(
            self.path, self.settings_digest, self.number, self._check_index
        )
        self.num_records, self.num_mix = arrays['sources'].shape
        self.num_classes = arrays['targets'].shape[1]
        self.format, self.number = header['format'], header['number']
        self.statistics = header['statistics']
        self.index_sha256 = str(header.get('index_sha256'))
        return arrays

    def _check_image(self, data: Any, record: int) -> None:
        """Raise ValueError unless bytes of an image have its checksum."""
        if zlib.crc32(data) != self.arrays['crc32'][record]:
            raise self.error(f'the image of record {record} has been altered (CRC-32 differs)')

    def _check_position(self, record: int) -> None:
        """Raise IndexError unless there is such a record."""
        if not 0 <= record < self.num_records:
            raise IndexError(
                f'{self.path} has no record {record}; it has 0 to {self.num_records - 1}.'
            )

    def error(self, what: str) -> ValueError:
        """Make the error with the file, the fault and advice.

        Args:
            what: Fault in words, without a full stop.

        Returns:
            The error, to be raised.
        """
        return shard_error(self.path, what)
