"""The folder of an export, and the files in it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from mmtmix.datasets.mixed_shards import ShardReader
from mmtmix.datasets.mixed_shards.files import open_shard
from mmtmix.utils import atomic_path
from mmtmix.utils.living_holder import check_claim

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
        others: Names of the files that ``finish`` writes.
    """

    check: Callable[[], object]
    name: Callable[[int, int], str]
    write: Callable[[Path, ShardReader, int, dict[str, Any]], None]
    stamp: Callable[[Path], str | None]
    finish: Callable[[Path, dict[str, Any]], None]
    others: tuple[str, ...] = ()


class ExportFolder:
    """The files of an export, compared with the shards that they are made from.

    Args:
        folder: Folder of the set.
        name: Name of the format.
        kind: Functions of the format.
        target: Folder of the export.
        described: Description of the set.
    """

    def __init__(
        self,
        folder: str | os.PathLike,
        name: str,
        kind: Kind,
        target: Path,
        described: dict[str, Any],
    ):
        self.folder, self.target, self.described = folder, target, described
        self._name, self._kind = name, kind
        self._num_shards = len(described['shards'])

    @property
    def is_complete(self) -> bool:
        """Whether all files are those of the shards, and are listed."""
        sizes = self._listed_sizes()
        if not sizes or not all((self.target / each).is_file() for each in self._kind.others):
            return False
        if not all(self._fits(number, sizes) for number in range(self._num_shards)):
            return False
        files = [self._entry(number) for number in range(self._num_shards)]
        return self._read_description() == self._description(files)

    def make(self, progress: Callable[[Iterable[int]], Iterable[int]]) -> None:
        """Make the files that are missing or don't fit, in a folder that is claimed.

        Args:
            progress: Function that wraps the iterable of shard numbers to show progress.
        """
        start = dict(kind=self._name, settings_digest=self.described['settings_digest'])
        _write_json(self.target / EXPORT_FILE, start)
        for temporary in self.target.glob('.*'):  # of killed processes, since the claim is ours
            if temporary.suffix in _SUFFIXES:
                temporary.unlink(missing_ok=True)
        sizes = self._listed_sizes()
        for number in range(self._num_shards):
            if self._path(number).exists() and not self._fits(number, sizes):
                self._path(number).unlink()
        # only now, since its sizes show which files were cut off
        (self.target / DESCRIPTION_FILE).unlink(missing_ok=True)
        files = []
        for number in progress(range(self._num_shards)):
            check_claim(self.target)
            if not self._path(number).is_file():
                self._write(number)
            files.append(self._entry(number))
        self._kind.finish(self.target, self.described)
        _write_json(self.target / DESCRIPTION_FILE, self._description(files))

    def _path(self, number: int) -> Path:
        return self.target / self._kind.name(number, self._num_shards)

    def _fits(self, number: int, sizes: Mapping[str, int]) -> bool:
        """Return whether the file of a shard was written from it, and has the listed size."""
        path = self._path(number)
        reader = open_shard(self.folder, self.described, number)
        if self._kind.stamp(path) != reader.index_sha256:
            return False
        # a copy may have cut off the end of a file
        return path.stat().st_size == sizes.get(path.name, path.stat().st_size)

    def _write(self, number: int) -> None:
        reader = open_shard(self.folder, self.described, number)
        first = sum(self.described['shards'][:number])
        with atomic_path(self._path(number)) as temporary:
            self._kind.write(temporary, reader, first, self.described)

    def _entry(self, number: int) -> dict[str, Any]:
        path = self._path(number)
        records = self.described['shards'][number]
        return dict(name=path.name, records=records, bytes=path.stat().st_size)

    def _description(self, files: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        return dict(kind=self._name, files=list(files), set=self.described)

    def _read_description(self) -> Any:
        try:
            return json.loads((self.target / DESCRIPTION_FILE).read_bytes())
        except (OSError, ValueError):
            return None  # the export is not complete, or its description is damaged

    def _listed_sizes(self) -> dict[str, int]:
        """Return the bytes by name of the files that were complete; empty if none are listed."""
        try:
            return {each['name']: each['bytes'] for each in self._read_description()['files']}
        except (KeyError, TypeError):
            return {}


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(content, indent=1) + '\n', encoding='utf-8')
