"""The records of the stages of one launch, and whether required files were made as required."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmtmix.datasets.mixed_shards import SETTINGS_FILE, shard_files
from mmtmix.utils import load_config

from .claims import on_main_process
from .digest import changed_digest, stage_digests
from .recording import SEED_OPTION, continues, recorded, seed_of, setting_of
from .run_identity import CONTINUED
from .run_record import RECORD, RunRecord, read_record
from .stages import Stage, check_stages, required_by


class StageRecords:
    """The records of the stages of one launch.

    Args:
        stages: Stages from :func:`~mmtmix.engine.stages.plan_stages`, before anything is put into
            their configs.
        changes_of: Function that returns the arguments of the launch that change the result of a
            stage, such as ``['--amp']``.
        divide_batch: Whether the processes of the launch share the batches of the configs.

    Attributes:
        present: Record of the stage that runs; None before the first.

    Raises:
        FileNotFoundError: If a config that is named requires one that isn't there.
        ValueError: If a config that is named can't be read.
    """

    def __init__(
        self,
        stages: Sequence[Stage],
        changes_of: Callable[[Stage], Sequence[str]] = lambda stage: (),
        divide_batch: bool = False,
    ):
        self.present: RunRecord | None = None
        self._stages = list(stages)
        self._changes_of = changes_of
        self._divide_batch = divide_batch
        digests = stage_digests([*stages[:-1], _without_given_seed(stages[-1])])
        self._digests = dict(zip(map(id, stages), digests, strict=True))

    def digest_of(self, stage: Stage) -> str:
        """Return the digest of a stage's config, without the arguments of the launch.

        Args:
            stage: One of the stages.
        """
        return self._digests[id(stage)]

    def check(self) -> None:
        """Refuse required files, and begun runs, that were made otherwise than is required.

        A file without a record counts: weights that were converted, and those of older versions.
        So does a finished one that other arguments of a launch have changed, such as ``--amp``.
        What uses it has that change in its own record. All ranks have to call this.

        Raises:
            ValueError: If there is such a file, or a record is damaged.
        """
        missing = check_stages(self._stages)
        on_main_process(partial(self._check, missing))

    def note(self, stage: Stage) -> str:
        """Return a remark on the file of a finished stage; empty if its record fits.

        Args:
            stage: Stage whose file another one uses.
        """
        if not stage.is_finished:
            return ''
        record = read_record(stage.cfg.work_dir)
        if not record:
            return f', made by an unknown run (no {RECORD})'
        others = self._other_changes(stage, record)
        return f', made with {", ".join(others)}' if others else ''

    @contextmanager
    def recording(self, stage: Stage) -> Iterator[None]:
        """Record a stage while the body runs it.

        Args:
            stage: Stage that runs, in its work dir, which this launch has claimed.
        """
        # those of its required stages are known now
        changes = on_main_process(partial(self._changes, stage))
        progress = None
        if 'generation' in stage.cfg:
            progress = partial(_shards, stage.cfg.work_dir)
        digest = self.digest_of(stage)
        with recorded(stage, digest, changes, self._divide_batch, progress) as self.present:
            yield

    def _changes(self, stage: Stage) -> list[str]:
        """Return what changes the result of a stage: in this launch, and in required stages."""
        found = set(self._changes_of(stage))
        for needed in required_by(stage, self._stages):
            for change in read_record(needed.cfg.work_dir).get('changes') or ():
                found.add(change if _OF in change else f'{needed.name}{_OF}{change}')
        return sorted(found)

    def _check(self, missing: Sequence[Stage]) -> None:
        used = {id(stage) for needs in missing for stage in required_by(needs, self._stages)}
        faults = []
        for stage in self._stages[:-1]:
            if id(stage) in used and (stage.is_finished or continues(stage)):
                faults += self._faults_of(stage)
        if self._stages[-1].cfg.get('work_dir'):
            read_record(self._stages[-1].cfg.work_dir)  # a damaged one is refused now
        if faults:
            raise ValueError('\n'.join(faults))

    def _faults_of(self, stage: Stage) -> list[str]:
        """Return lines about a run that isn't the one that is required; none if it is."""
        folder, digest = stage.cfg.work_dir, self.digest_of(stage)
        record = read_record(folder)
        if not record.get('digest'):
            return []
        is_same = changed_digest(digest, record.get('changes') or []) == record['digest']
        others = self._other_changes(stage, record)
        if stage.is_finished:  # one that goes on would be a mixture, as one that was continued is
            others = [each for each in others if CONTINUED in each]
        seeds = record.get('seed'), seed_of(stage)
        if is_same and not others and (None in seeds or seeds[0] == seeds[1]):
            return []
        what, cure = 'was begun', ''
        if stage.is_finished:
            what = 'was made'
            cure = f'. To use what is there all the same, delete {os.path.join(folder, RECORD)}'
        return [
            f'{stage.produces} {what} by another run than the one that is required:',
            *_differences(record, setting_of(stage), digest, others),
            f'  move {folder} away, or give `produces` another folder{cure}',
        ]

    def _other_changes(self, stage: Stage, record: Mapping[str, Any]) -> list[str]:
        """Return the changes of a record that this launch would not make."""
        allowed = set(self._changes_of(stage))
        made_with = record.get('changes') or []
        return [each for each in made_with if each.rpartition(_OF)[2] not in allowed]


_OF = ': '  # between the name of a required stage and a change of it


def _differences(
    record: Mapping[str, Any], wanted: Mapping[str, Any], digest: str, others: Sequence[str]
) -> Iterator[str]:
    """Yield lines with the fields in which a record differs from what is required."""
    named = [
        name
        for name in wanted
        if None not in (record.get(name), wanted[name]) and record[name] != wanted[name]
    ]
    for name in named:
        yield f'  {name}: {record[name]!r} there, {wanted[name]!r} required'
    if others:
        yield f'  made with {", ".join(others)}, which this launch has not'
    if record['digest'] != digest:
        cause = '' if named or others else '; a config or what it requires was changed since'
        yield f'  digest: {record["digest"]} there, {digest} required{cause}'


def _without_given_seed(stage: Stage) -> Stage:
    """Return a stage whose digest doesn't show that its seed was given as an override.

    A config without ``randomness`` would have an empty one in its digest otherwise.
    """
    if SEED_OPTION not in stage.options or set(stage.cfg.get('randomness') or {}) != {'seed'}:
        return stage
    if load_config(stage.config, variants=stage.variants).get('randomness') is not None:
        return stage
    stage = copy.copy(stage)
    stage.cfg = Config({k: v for k, v in stage.cfg.to_dict().items() if k != 'randomness'})
    return stage


def _shards(folder: str) -> list[int] | None:
    """Return the numbers of shards that are made and planned; None while the latter is unknown."""
    try:
        planned = json.loads(Path(folder, SETTINGS_FILE).read_bytes())['num_shards']
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return [len(shard_files(folder)), planned]
