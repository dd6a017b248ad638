"""Write a complete set in another format, shard by shard."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path

from mmtmix.checks import check_choice, check_path
from mmtmix.datasets.mixed_shards import MixedSet
from mmtmix.engine.claims import claimed
from mmtmix.utils import check_output_folder
from mmtmix.utils.claims import CLAIM_FILE

from .export_folder import EXPORT_FILE, ExportFolder, Kind
from .parquets import (
    CARD_FILE,
    check_pyarrow,
    parquet_name,
    parquet_stamp,
    write_card,
    write_parquet,
)
from .tars import tar_name, tar_stamp, write_tar

KINDS = {
    'webdataset': Kind(
        lambda: None, tar_name, write_tar, tar_stamp, lambda folder, described: None
    ),
    'parquet': Kind(
        check_pyarrow, parquet_name, write_parquet, parquet_stamp, write_card, (CARD_FILE,)
    ),
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
    that was interrupted. It makes the files that are missing, and those whose shard has changed
    since. If another process exports to that folder, it waits for the end of that.

    ``description.json`` appears at the end. It has the description of the set in ``set``, and the
    names, records and bytes of the files in ``files``. It is absent while files are made.

    Images are lossless PNGs of true colours, whatever the channel order of the set. One record at
    a time is in memory, or 500 of them for Parquet.

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
        FileNotFoundError: If the set is missing or not complete.
        ImportError: If a package is missing.
        OSError: If a file can't be written.
        ValueError: If a shard is damaged, or the folder holds something else.
    """
    check_export(folder, kind, out)
    described = MixedSet(folder).described
    export = ExportFolder(folder, kind, KINDS[kind], export_folder(folder, kind, out), described)
    _compare(export.target, kind, described['settings_digest'])
    with claimed(export.target, lambda: export.is_complete) as is_left:
        if is_left:
            _compare(export.target, kind, described['settings_digest'])
            export.make(progress)
    return export.target


def _compare(target: Path, kind: str, digest: str | None) -> None:
    """Raise ValueError if a folder holds something else than this export; None fits any set."""
    there = sorted(each.name for each in target.iterdir()) if target.is_dir() else []
    foreign = [name for name in there if name != CLAIM_FILE and not name.startswith('.')]
    cure = 'give another --export-dir, or empty this one'
    try:
        # after the listing, since another process may begin the export meanwhile
        content = (target / EXPORT_FILE).read_bytes()
    except FileNotFoundError:
        if foreign:
            raise ValueError(
                f'--export-dir {target} is not empty, it holds {foreign[0]!r}, and is no export; '
                f'{cure}'
            ) from None
        return
    try:
        found = json.loads(content)
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
