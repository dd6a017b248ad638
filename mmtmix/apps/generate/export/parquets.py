"""A shard as a Parquet file, whose images the library ``datasets`` decodes."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from mmtmix.datasets.mixed_shards import ShardReader
from mmtmix.utils import atomic_path

_STAMP = b'mmtmix.index_sha256'
_ROWS = 500  # per row group, the part of a file that readers load at once
_LISTS = ('sources', 'flips', 'weights', 'classes', 'targets')

CARD_FILE = 'README.md'
"""Text about an export, by whose head ``datasets.load_dataset`` reads the folder."""

_CARD = """---
configs:
- config_name: default
  data_files:
  - split: train
    path: "*.parquet"
---

{num} images, mixed of {num_mix} sources each, with soft labels of {num_classes} classes.
`description.json` holds the description of the set. Columns: `index`, the number within the set;
`image`; `label`, the class that the teacher finds most probable; `sources`, `flips`, `weights` and
`classes` of the images that were mixed; `targets`, the teacher's probabilities; `iterations` of
the solver; `finished`, whether the most probable classes are those of the sources.
Made by {made_with}.
"""


def check_pyarrow() -> None:
    """Refuse to go on without pyarrow.

    Raises:
        ImportError: If it can't be imported, with the command that installs it.
    """
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError as error:
        raise ImportError(
            f"--export parquet needs pyarrow ({error}): pip install 'mmtmix[datasets]'"
        ) from error


def parquet_name(number: int, num_shards: int) -> str:
    """Return the name of a shard's file, such as ``train-00000-of-00003.parquet``.

    Args:
        number: Number of the shard, >= 0.
        num_shards: Number of all shards, >= 1.
    """
    return f'train-{number:05d}-of-{num_shards:05d}.parquet'


def write_parquet(
    path: str | os.PathLike, reader: ShardReader, first: int, described: dict[str, Any]
) -> None:
    """Write a shard as a Parquet file with the columns of the card.

    The schema's metadata tell the library ``datasets`` which column is an image, and the names of
    the classes.

    Args:
        path: Path of the file.
        reader: The shard.
        first: Number of its first record within the set, >= 0.
        described: Description of the set.

    Raises:
        OSError: If the file can't be written.
        ValueError: If an image of the shard is damaged.
    """
    import pyarrow.parquet

    schema = _schema(reader, described)
    with pyarrow.parquet.ParquetWriter(path, schema) as writer:
        for start in range(0, reader.num_records, _ROWS):
            rows = range(start, min(start + _ROWS, reader.num_records))
            writer.write_table(_table(reader, rows, first, schema))


def parquet_stamp(path: str | os.PathLike) -> str | None:
    """Return the digest of the shard that a file was written from; None if there is no such file.

    Args:
        path: Path of the file.
    """
    import pyarrow
    import pyarrow.parquet

    try:
        metadata = pyarrow.parquet.read_schema(path).metadata or {}
    except (OSError, pyarrow.ArrowInvalid):
        return None
    stamp = metadata.get(_STAMP)
    return None if stamp is None else stamp.decode()


def write_card(folder: Path, described: dict[str, Any]) -> None:
    """Write ``README.md``, by which ``datasets.load_dataset`` reads the folder.

    Args:
        folder: Folder of the export.
        described: Description of the set.
    """
    known = {'made_with': 'an older version', **described}
    with atomic_path(folder / CARD_FILE) as temporary:
        temporary.write_text(_CARD.format_map(known), encoding='utf-8')


def _schema(reader: ShardReader, described: dict[str, Any]) -> Any:
    """Return the schema of a shard's columns."""
    import pyarrow as pa

    def of(name: str) -> Any:
        return pa.from_numpy_dtype(reader.column(name).dtype)

    image = pa.struct([('bytes', pa.binary()), ('path', pa.string())])
    columns = [('index', pa.int64()), ('image', image), ('label', pa.int64())]
    columns += [(name, pa.list_(of(name), reader.column(name).shape[1])) for name in _LISTS]
    columns += [(name, of(name)) for name in ('iterations', 'finished')]
    features = {name: _feature(kind) for name, kind in columns}
    features['image'] = dict(_type='Image')
    names = described['classes']
    if names and len(set(names)) == len(names):  # a ClassLabel refuses a name that comes twice
        features['label'] = dict(_type='ClassLabel', names=list(names))
    info = json.dumps(dict(info=dict(features=features)))
    return pa.schema(columns, metadata={b'huggingface': info, _STAMP: reader.index_sha256})


def _feature(kind: Any) -> dict[str, Any]:
    """Return a column's type as ``datasets`` writes it; newer versions read this form, too."""
    import pyarrow as pa

    if pa.types.is_fixed_size_list(kind):
        return dict(_type='Sequence', feature=_feature(kind.value_type), length=kind.list_size)
    return dict(_type='Value', dtype={'float': 'float32'}.get(str(kind), str(kind)))


def _table(reader: ShardReader, rows: range, first: int, schema: Any) -> Any:
    """Return some rows of a shard as a table."""
    import pyarrow as pa

    part = slice(rows.start, rows.stop)
    columns = [
        pa.array(np.arange(first + rows.start, first + rows.stop)),
        pa.array(
            [dict(bytes=reader.png(record), path=None) for record in rows],
            type=schema.field('image').type,
        ),
        pa.array(reader.column('winners')[part]),
    ]
    for name in _LISTS:
        values = reader.column(name)[part]
        flat = pa.array(values.reshape(-1))
        columns.append(pa.FixedSizeListArray.from_arrays(flat, values.shape[1]))
    columns += [pa.array(reader.column(name)[part]) for name in ('iterations', 'finished')]
    return pa.table(columns, schema=schema)
