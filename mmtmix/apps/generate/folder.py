"""The folder of a set while it is generated."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mmengine.logging import MMLogger

import mmtmix
from mmtmix.checks import check_integer
from mmtmix.datasets.mixed_shards import (
    DATASET_FILE,
    FORMATS,
    PNG_FORMAT,
    RAW_BYTES,
    SETTINGS_FILE,
    MixedRecords,
    ShardReader,
    description_digest,
    pack_shard,
    shard_files,
    shard_name,
)
from mmtmix.utils import atomic_path
from mmtmix.utils.claim_queue import ClaimQueue
from mmtmix.utils.claim_waits import wait_for_file
from mmtmix.utils.claims import ClaimedError, clear_claim
from mmtmix.utils.files import create_file

from .settings import GenerationSettings, differences, digest
from .shard_maker import Statistics


class SetFolder:
    """List the shards of a set, and write new ones whole or not at all.

    Args:
        path: Path of the folder, which is made if it is missing.
        settings: Size of the set.
        described: Description of the set, from :func:`~mmtmix.apps.generate.describe`.
        machine: Properties of the machine that rounding depends on. A warning is logged if they
            differ from those that the set was begun with.

    Attributes:
        raw_bytes: Size in bytes of the largest image that the set stores as raw pixels. A set that
            an older version began has 0, since it holds PNGs.

    Raises:
        ValueError: If the folder holds a set of other settings, or a shard of another set.
    """

    def __init__(
        self,
        path: str | os.PathLike,
        settings: GenerationSettings,
        described: Mapping[str, Any],
        machine: Mapping[str, Any] | None = None,
    ):
        self.path = Path(path)
        self.sizes = settings.shards
        self.described = dict(described)
        self.digest = digest(described)
        self.machine = dict(machine or {})
        self.raw_bytes = self._compare_settings()
        for number in self.present():
            ShardReader(self.path / shard_name(number), self.digest, number, check_index=False)

    @property
    def is_complete(self) -> bool:
        """Whether all shards and ``dataset.json`` exist."""
        return (self.path / DATASET_FILE).is_file() and not self.missing()

    def present(self) -> list[int]:
        """Return the numbers of the shards that exist."""
        there = set(shard_files(self.path))
        return [number for number in range(len(self.sizes)) if shard_name(number) in there]

    def missing(self) -> list[int]:
        """Return the numbers of the shards that are missing."""
        return sorted(set(range(len(self.sizes))) - set(self.present()))

    def queue(self, wait: Callable[[Sequence[ClaimedError]], object]) -> ClaimQueue:
        """Return the missing shards, each of which is claimed when this process is ready for it.

        Args:
            wait: Function that is called with the claims of others, again and again while these
                work on all that is missing.
        """
        return ClaimQueue(self.missing, self.shard_path, self.clean, wait)

    def shard_path(self, number: int) -> Path:
        """Return the path of a shard.

        Args:
            number: Number of the shard, >= 0.
        """
        return self.path / shard_name(number)

    def clean(self, number: int) -> None:
        """Delete half-written files of a shard, which killed processes left there.

        Args:
            number: Number of a shard that this process has claimed.
        """
        self._clean(self.shard_path(number))

    def _clean(self, path: Path) -> None:
        for temporary in self.path.glob(f'.{path.stem}.*'):
            temporary.unlink(missing_ok=True)

    def write(self, number: int, records: MixedRecords, statistics: Statistics) -> None:
        """Write a shard.

        Args:
            number: Number of the shard, >= 0.
            records: Images of the shard, with their fields.
            statistics: Counts of the mixes that were made for it.

        Raises:
            OSError: If it cannot be written; then no file has its name.
        """
        path = self.shard_path(number)
        data = pack_shard(records, number, self.digest, asdict(statistics))
        try:
            with atomic_path(path) as temporary:
                temporary.write_bytes(data)
        except OSError as error:
            raise OSError(
                error.errno,
                f'{error.strerror}. {len(self.present())} of {len(self.sizes)} shards are '
                f'complete, this one takes {len(data):,} bytes; make room and run the same '
                'command again, which makes only what is missing',
            ) from error

    def statistics(self) -> Statistics:
        """Return the sums over all shards that exist, each of them checked.

        Raises:
            ValueError: If one is damaged, or of another format than the first.
        """
        total = Statistics()
        first: int | None = None
        for number in self.present():
            reader = ShardReader(self.shard_path(number), self.digest, number)
            first = first or reader.format
            if reader.format != first:
                raise reader.error(f'it is of format {reader.format}, the first shard of {first}')
            for name, value in reader.statistics.items():
                setattr(total, name, getattr(total, name) + value)
        return total

    def complete(
        self,
        classes: Sequence[str] | None,
        num_classes: int,
        num_mix: int,
        channel_order: str,
        report: Callable[[str], object],
    ) -> None:
        """Write ``dataset.json``, unless another process does, and delete what the dead left.

        Args:
            classes: Names of the classes; None if the data set has none.
            num_classes: Number of classes.
            num_mix: Number of images per mix.
            channel_order: Order of the source images' colour channels, ``'rgb'`` or ``'bgr'``.
            report: Function that takes a line about another process that this one waits for.

        Raises:
            RuntimeError: If shards have vanished.
            ValueError: If one is damaged.
        """
        path = self.path / DATASET_FILE
        claim = wait_for_file(path, path.is_file, report)
        try:
            if missing := self.missing():
                raise RuntimeError(
                    f'{self.path} is not complete: {len(missing)} of {len(self.sizes)} shards '
                    f'have vanished, the first is {shard_name(missing[0])}; run the same command '
                    'again, it makes only what is missing'
                )
            if claim is not None:
                self._clean(path)
                self._clean(self.path / SETTINGS_FILE)
                for number in range(len(self.sizes)):
                    clear_claim(self.shard_path(number))
                self.finish(classes, num_classes, num_mix, channel_order)
        finally:
            if claim is not None:
                claim.release()

    def finish(
        self,
        classes: Sequence[str] | None,
        num_classes: int,
        num_mix: int,
        channel_order: str,
    ) -> None:
        """Write ``dataset.json``, which makes the set complete.

        Args:
            classes: Names of the classes; None if the data set has none.
            num_classes: Number of classes.
            num_mix: Number of images per mix.
            channel_order: Order of the source images' colour channels, ``'rgb'`` or ``'bgr'``.

        Raises:
            ValueError: If a shard is damaged.
        """
        if classes is not None and len(classes) != num_classes:
            classes = None
        made = ShardReader(self.path / shard_name(0), self.digest, 0).format
        content = dict(
            format=made,
            num=sum(self.sizes),
            shards=self.sizes,
            settings_digest=self.digest,
            classes=None if classes is None else list(classes),
            num_classes=num_classes,
            num_mix=num_mix,
            channel_order=channel_order,
            settings=self.described,
            statistics=asdict(self.statistics()),
            made_with=f'mmtmix {mmtmix.__version__}',
        )
        if made != PNG_FORMAT:  # whose description stays that of older versions
            content['encoding'] = FORMATS[made]
        _write_json(self.path / DATASET_FILE, content | {'sha256': description_digest(content)})

    def _compare_settings(self) -> int:
        """Write the settings, or compare them with those in the folder; return ``raw_bytes``."""
        path = self.path / SETTINGS_FILE
        if not path.is_file():
            raw_bytes = RAW_BYTES
            # shards whose settings were deleted keep their format
            for number in self.present()[:1]:
                first = ShardReader(self.path / shard_name(number), self.digest, number)
                raw_bytes = 0 if first.format == PNG_FORMAT else RAW_BYTES
            content = dict(num_shards=len(self.sizes), digest=self.digest, machine=self.machine)
            content.update(raw_bytes=raw_bytes, settings=self.described)
            if create_file(path, _as_json(content)):
                return raw_bytes
            # another process begins the set at the same time, maybe with other settings
        try:
            content = json.loads(path.read_bytes())
            found, machine = content['settings'], content.get('machine', {})
            raw_bytes = content.get('raw_bytes', 0)
            check_integer('raw_bytes', raw_bytes, 0)
            if digest(found) != content['digest']:
                raise ValueError('it has been altered, its digest differs')
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f'{path} is damaged ({error}); delete it and run again') from error
        changed = list(differences(found, json.loads(json.dumps(self.described))))
        if changed:
            cure = 'Give another folder, or the settings of that set to complete it'
            if not self.present():
                cure += f'. It has no shard yet: without {path} this one can start there'
            raise ValueError(
                f'{self.path} holds a set that was generated otherwise:\n  '
                + '\n  '.join(changed)
                + f'\n{cure}'
            )
        if machine != self.machine:
            MMLogger.get_current_instance().warning(
                f'{self.path} was begun with {machine}, and this is {self.machine}: rounding '
                'differs, so the rest may differ from that of an uninterrupted run'
            )
        return raw_bytes


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    with atomic_path(path) as temporary:
        temporary.write_bytes(_as_json(content))


def _as_json(content: Mapping[str, Any]) -> bytes:
    return (json.dumps(content, indent=1) + '\n').encode()
