"""Write a complete set in another format, shard by shard."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from mmtmix.checks import check_choice, check_path
from mmtmix.datasets.mixed_shards import MixedSet, ShardReader
from mmtmix.datasets.mixed_shards.files import open_shard
from mmtmix.engine.claims import claimed
from mmtmix.utils import atomic_path, check_output_folder
from mmtmix.utils.claims import CLAIM_FILE

from .parquets import check_pyarrow, parquet_name, parquet_stamp, write_card, write_parquet
from .tars import tar_name, tar_stamp, write_tar

EXPORT_FILE = 'export.json'
"""Format of an export and digest of its set's settings; the file exists from the start."""

DESCRIPTION_FILE = 'description.json'
"""Description of a set and list of the files; the file exists when the export is complete."""

_SUFFIXES = ('.tar', '.parquet', '.json', '.md')


class Kind(NamedTuple):
    """Functions of one format.

    Attributes:
        check: Function that raises an ImportError if a package is missing.
        name: Function that returns the name of a shard's file.
        write: Function that writes a shard to a path.
        stamp: Function that returns the digest of the shard that a file was written from.
        finish: Function that writes what belongs to the folder as a whole.
    """

    check: Callable[[], object]
    name: Callable[[int, int], str]
    write: Callable[[Path, ShardReader, int, dict[str, Any]], None]
    stamp: Callable[[Path], str | None]
    finish: Callable[[Path, dict[str, Any]], None]


KINDS = {
    'webdataset': Kind(
        lambda: None, tar_name, write_tar, tar_stamp, lambda folder, described: None
    ),
    'parquet': Kind(check_pyarrow, parquet_name, write_parquet, parquet_stamp, write_card),
}


def export_folder(folder: str | os.PathLike, kind: str, out: str | os.PathLike | None) -> Path:
    """Return the folder of an export: the given one, or ``SET/webdataset`` and the like.

    Args:
        folder: Folder of the set.
        kind: Name of the format, a key of :data:`KINDS`.
        out: Folder of the export; None for the default.
    """
    return Path(folder, kind) if out is None else Path(out)


def check_export(
    folder: str | os.PathLike, kind: str, out: str | os.PathLike | None = None
) -> None:
    """Refuse an export that would fail at its end, before the set is made.

    Args:
        folder: Folder of the set, which may be missing.
        kind: Name of the format, a key of :data:`KINDS`.
        out: Folder of the export. Defaults to None: a folder in that of the set.

    Raises:
        ImportError: If a package is missing.
        OSError: If the folder can't be written to.
        ValueError: If there is no such format, or the folder holds something else.
    """
    check_choice('--export', kind, tuple(KINDS))
    if out is not None:
        check_path('--export-dir', out)
    KINDS[kind].check()
    target = export_folder(folder, kind, out)
    check_output_folder('--export-dir', target)
    _compare(target, kind, None)


def export_set(
    folder: str | os.PathLike,
    kind: str,
    out: str | os.PathLike | None = None,
    progress: Callable[[Iterable[int]], Iterable[int]] = iter,
) -> Path:
    """Write a complete set in another format, with everything of every record.

    Each shard becomes one file, written whole or not at all. So the same call completes an export
    that was interrupted, and makes only the files that are missing or come from a shard that has
    changed since. ``description.json`` appears at the end. It has the description of the set in
    ``set``, and the names, records and bytes of the files in ``files``. Images are lossless PNGs
    of true colours, whatever the channel order of the set. One record at a time is in memory, or
    500 of them for Parquet.

    Args:
        folder: Folder of the set.
        kind: Name of the format, ``'webdataset'`` or ``'parquet'``.
        out: Folder of the export. Defaults to None: a folder in that of the set, named after the
            format.
        progress: Function that wraps the iterable of shard numbers to show progress. By default
            nothing is shown.

    Returns:
        The folder of the export.

    Raises:
        ClaimedError: If another process exports to that folder.
        FileNotFoundError: If the set is missing or not complete.
        ImportError: If a package is missing.
        OSError: If a file can't be written.
        ValueError: If a shard is damaged, or the folder holds something else.
    """
    check_export(folder, kind, out)
    described = MixedSet(folder).described
    target, digest = export_folder(folder, kind, out), described['settings_digest']
    with claimed(target):
        _compare(target, kind, digest)
        _write_json(target / EXPORT_FILE, dict(kind=kind, settings_digest=digest))
        for temporary in target.glob('.*'):  # of killed processes, since the claim is ours
            if temporary.suffix in _SUFFIXES:
                temporary.unlink(missing_ok=True)
        sizes, files = _listed_sizes(target / DESCRIPTION_FILE), []
        for number in progress(range(len(described['shards']))):
            files.append(_export_shard(folder, target, KINDS[kind], described, number, sizes))
        KINDS[kind].finish(target, described)
        _write_json(target / DESCRIPTION_FILE, dict(kind=kind, files=files, set=described))
    return target


def _export_shard(
    folder: str | os.PathLike,
    target: Path,
    kind: Kind,
    described: dict[str, Any],
    number: int,
    sizes: Mapping[str, int],
) -> dict[str, Any]:
    """Write the file of a shard unless it exists, and return its entry of the description.

    Args:
        folder: Folder of the set.
        target: Folder of the export.
        kind: Functions of the format.
        described: Description of the set.
        number: Number of the shard, >= 0.
        sizes: Bytes by name of files that were complete before. A copy may have cut them off.
    """
    reader = open_shard(folder, described, number)
    path = target / kind.name(number, len(described['shards']))
    is_there = kind.stamp(path) == reader.index_sha256
    if not is_there or path.stat().st_size != sizes.get(path.name, path.stat().st_size):
        with atomic_path(path) as temporary:
            kind.write(temporary, reader, sum(described['shards'][:number]), described)
    return dict(name=path.name, records=reader.num_records, bytes=path.stat().st_size)


def _listed_sizes(path: Path) -> dict[str, int]:
    """Return the bytes by name of the files that a description lists; none without one."""
    try:
        return {each['name']: each['bytes'] for each in json.loads(path.read_bytes())['files']}
    except (OSError, ValueError, KeyError, TypeError):
        return {}  # the export is not complete, or its description is written anew


def _compare(target: Path, kind: str, digest: str | None) -> None:
    """Raise ValueError if a folder holds something else than this export; None fits any set."""
    there = sorted(each.name for each in target.iterdir()) if target.is_dir() else []
    foreign = [name for name in there if name != CLAIM_FILE and not name.startswith('.')]
    cure = 'give another --export-dir, or empty this one'
    if EXPORT_FILE not in there:
        if foreign:
            raise ValueError(
                f'--export-dir {target} is not empty, it holds {foreign[0]!r}, and is no export; '
                f'{cure}'
            )
        return
    try:
        found = json.loads((target / EXPORT_FILE).read_bytes())
        found_kind, found_digest = found['kind'], found['settings_digest']
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f'{target / EXPORT_FILE} is damaged ({error}); {cure}') from error
    if found_kind != kind:
        raise ValueError(f'--export-dir {target} holds an export as {found_kind!r}; {cure}')
    if digest is not None and found_digest != digest:
        raise ValueError(
            f'--export-dir {target} holds an export of another set (settings {found_digest!r}, '
            f'expected {digest!r}); {cure}'
        )


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(content, indent=1) + '\n', encoding='utf-8')
