"""A shard as a tar that WebDataset reads."""

from __future__ import annotations

import io
import json
import os
import tarfile
from collections.abc import Iterator
from typing import Any

import numpy as np

from mmtmix.datasets.mixed_shards import ShardReader

_STAMP = 'mmtmix.index_sha256'
_PLAIN = ('sources', 'flips', 'weights', 'classes', 'iterations', 'finished')


def tar_name(number: int, num_shards: int) -> str:
    """Return the name of a shard's tar, such as ``shard-00000.tar``.

    Args:
        number: Number of the shard, >= 0.
        num_shards: Number of all shards, >= 1.
    """
    return f'shard-{number:05d}.tar'


def write_tar(
    path: str | os.PathLike, reader: ShardReader, first: int, described: dict[str, Any]
) -> None:
    """Write a shard as a tar; equal shards give equal bytes.

    The record 42 of the set has four members. ``000000042.png`` is the image, and
    ``000000042.cls`` the most probable class. ``000000042.json`` has the sources, flips, weights,
    classes, iterations and finished. ``000000042.targets.npy`` has the teacher's probabilities,
    float32 ``(num_classes,)``.

    Args:
        path: Path of the tar.
        reader: The shard.
        first: Number of its first record within the set, >= 0.
        described: Description of the set.

    Raises:
        OSError: If the tar can't be written.
        ValueError: If an image of the shard is damaged.
    """
    stamp = {_STAMP: reader.index_sha256}
    # a TarInfo without a time, an owner or rights of its own
    with tarfile.open(path, 'w', format=tarfile.PAX_FORMAT, pax_headers=stamp) as tar:
        for record in range(reader.num_records):
            for suffix, data in _members(reader, record):
                info = tarfile.TarInfo(f'{first + record:09d}.{suffix}')
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))


def tar_stamp(path: str | os.PathLike) -> str | None:
    """Return the digest of the shard that a tar was written from; None if there is no such tar.

    Args:
        path: Path of the tar.
    """
    try:
        with tarfile.open(path) as tar:
            return tar.pax_headers.get(_STAMP)
    except (OSError, tarfile.TarError):
        return None


def _members(reader: ShardReader, record: int) -> Iterator[tuple[str, bytes]]:
    """Yield the suffixes and contents of the files of a record."""
    yield 'png', reader.png(record)
    yield 'cls', str(int(reader.column('winners')[record])).encode()
    # a float32 becomes a float64 of the same value, whose text is exact
    plain = {name: reader.column(name)[record].tolist() for name in _PLAIN}
    yield 'json', json.dumps(plain).encode()
    targets = io.BytesIO()
    np.save(targets, reader.column('targets')[record])
    yield 'targets.npy', targets.getvalue()
