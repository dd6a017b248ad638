"""Read one shard, record by record, and find any damage."""

from __future__ import annotations

import json
import os
import zlib
from functools import cached_property
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open

from mmtmix.checks import check_flag, check_integer, check_path, check_text

from .images import decode_image
from .records import (
    FIELDS,
    FORMAT,
    HEADER_KEYS,
    INDEX_ARRAYS,
    METADATA_KEY,
    find_fault,
    index_digest,
)

CURE = (
    'Delete that file and run the generator again with the same command: it makes only what is '
    'missing.'
)


class ShardReader:
    """A shard on disk: the file is mapped to memory, and only what is used is read.

    Opening reads and checks all but the images. Each image has a checksum of its own, which is
    checked when it is read. A copy that was pickled for another process opens the file anew.

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

    num_records: int
    num_classes: int
    num_mix: int
    statistics: dict[str, int]

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
        self._file: Any = None
        self._open()

    def __getstate__(self) -> dict:
        """Leave out the mapped file and the index, which belong to this process."""
        state = {key: value for key, value in self.__dict__.items() if key != 'index'}
        return dict(state, _file=None)

    def __repr__(self) -> str:
        return f'ShardReader({self.path!r}, num_records={self.num_records})'

    @cached_property
    def index(self) -> dict[str, np.ndarray]:
        """All arrays but the images, by name, kept in memory from the first use on.

        They are those of :class:`MixedRecords`, ``offsets`` int64 ``(n + 1,)`` and ``crc32``
        uint32 ``(n,)``. :meth:`column` and :meth:`value` keep nothing.
        """
        return {name: self.column(name) for name in INDEX_ARRAYS}

    def column(self, name: str) -> np.ndarray:
        """Read an array of the index.

        Args:
            name: Name in :attr:`index`.

        Returns:
            The array of all records.
        """
        return self._opened().get_tensor(name)

    def value(self, name: str, record: int) -> np.ndarray:
        """Read one record's part of an array of the index.

        Args:
            name: Name of a field of :class:`MixedRecords`.
            record: Position of the record in the shard, >= 0.

        Returns:
            An array of no dimension, or of shape ``(k,)`` or ``(num_classes,)``.

        Raises:
            IndexError: If there is no such record.
        """
        self._check_position(record)
        return self._opened().get_slice(name)[record : record + 1][0]

    def image_bytes(self, record: int) -> bytes:
        """Read the PNG of a record.

        Args:
            record: Position of the record in the shard, >= 0.

        Returns:
            The bytes that were stored.

        Raises:
            IndexError: If there is no such record.
            ValueError: If they have been altered.
        """
        self._check_position(record)
        file = self._opened()
        start, end = file.get_slice('offsets')[record : record + 2].tolist()
        data = file.get_slice('images')[start:end].tobytes()
        if zlib.crc32(data) != self.value('crc32', record):
            raise self.error(f'the image of record {record} has been altered (CRC-32 differs)')
        return data

    def image(self, record: int, channel_order: str) -> np.ndarray:
        """Read and decode the image of a record.

        Args:
            record: Position of the record in the shard, >= 0.
            channel_order: Order of the channels to return, ``'rgb'`` or ``'bgr'``.

        Returns:
            uint8 ``(H, W)`` or ``(H, W, 3)``.

        Raises:
            IndexError: If there is no such record.
            ValueError: If the image has been altered or cannot be decoded.
        """
        data = self.image_bytes(record)
        try:
            return decode_image(data, channel_order)
        except ValueError as error:
            raise self.error(f'record {record}: {error}') from error

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
        shape = self.image(0, 'bgr').shape
        for record in range(1, self.num_records):
            other = self.image(record, 'bgr').shape
            if other != shape:
                raise self.error(
                    f'record {record}: its image has the shape {other}, that of record 0 {shape}'
                )
        return shape

    def _opened(self) -> Any:
        """Return the mapped file; a copy from another process has none yet."""
        if self._file is None:
            self._open()
        return self._file

    def _open(self) -> None:
        """Map the file and check all but the images."""
        try:
            file = safe_open(self.path, framework='np')
        except FileNotFoundError as error:
            raise FileNotFoundError(
                f'{self.path} is missing. Run the generator again with the same command: it makes '
                'only what is missing.'
            ) from error
        except OSError as error:
            raise OSError(f'{self.path} cannot be read: {error}') from error
        except SafetensorError as error:
            raise self.error(f'it is truncated or damaged ({error})') from error
        header = self._read_header(file)
        if self._check_index:
            self._compare_index(file, header)
        shapes = [file.get_slice(name).get_shape() for name in ('sources', 'targets')]
        (self.num_records, self.num_mix), (_, self.num_classes) = shapes
        self.number, self.statistics, self._file = header['number'], header['statistics'], file

    def _read_header(self, file: Any) -> dict:
        """Return the metadata, if it has the required digest and number."""
        try:
            header = json.loads((file.metadata() or {})[METADATA_KEY])
            if header['format'] != FORMAT:  # another may have other keys
                raise self.error(f'it is of format {header["format"]!r}, expected {FORMAT}')
            found = [header[key] for key in HEADER_KEYS]
        except (KeyError, TypeError, json.JSONDecodeError) as error:
            raise self.error('it is no shard of mixed images, or its header is damaged') from error
        if set(file.keys()) != {'images', *INDEX_ARRAYS}:
            raise self.error(f'it holds the arrays {sorted(file.keys())}, its header is damaged')
        if self.number is not None and found[1] != self.number:
            raise self.error(f'it is shard number {found[1]!r} under the name of {self.number}')
        if self.settings_digest is not None and found[2] != self.settings_digest:
            raise self.error(
                f'it was generated with other settings (digest {found[2]!r}, expected '
                f'{self.settings_digest!r})'
            )
        return header

    def _compare_index(self, file: Any, header: dict) -> None:
        """Compare the index to its digest, and its last bound to the images' size."""
        try:
            arrays = {name: file.get_tensor(name) for name in INDEX_ARRAYS}
        except (SafetensorError, TypeError, ValueError, AttributeError, KeyError) as error:
            raise self.error(f'its header is damaged ({error})') from error
        if index_digest(header, arrays) != header.get('index_sha256'):
            raise self.error('its index has been altered (SHA-256 differs)')
        images = file.get_slice('images')
        if images.get_dtype() != 'U8' or images.get_shape() != [arrays['offsets'][-1]]:
            raise self.error('its images do not have the size that its index lists')

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
        return ValueError(f'{self.path}: {what}. {CURE}')
