"""The stages of a run: those that it required, and itself, each from its own record."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmtmix.engine.digest import changed_digest, stage_digests
from mmtmix.engine.run_record import DONE
from mmtmix.engine.stages import plan_stages
from mmtmix.utils import describe_error
from mmtmix.utils.command import is_user_error
from mmtmix.utils.variants import variant_words

from .present_config import PresentConfig
from .work_dir import WorkDir, read_work_dir

_OLDER = 'unknown'  # state in the record of an older version


@dataclass
class StageRow:
    """One stage of a run.

    Attributes:
        name: Work dir of the stage.
        state: Its state, as a word.
        digest: Digest in its record; empty without one.
        seed: Its seed; None if unknown.
        seconds: Duration over all its attempts; None if unknown.
        attempts: Number of attempts; None if unknown.
        command: Command line that makes it; empty if unknown.
        notes: Sentences about how it differs from what one would expect.
        work_dir: Content of its work dir; None if that is not there.
    """

    name: str
    state: str
    digest: str = ''
    seed: int | None = None
    seconds: float | None = None
    attempts: int | None = None
    command: str = ''
    notes: list[str] = field(default_factory=list)
    work_dir: WorkDir | None = None


def stage_rows(run: WorkDir, present: PresentConfig) -> list[StageRow]:
    """Return the stages of a run, in the order in which they run, itself last.

    Relative paths are of the present folder, see :func:`~mmtmix.apps.report.root.working_in`.

    Args:
        run: Content of its work dir.
        present: Its config as it is now, with whose digest the recorded one is compared.
    """
    rows = [_required(needed, run) for needed in _required_files(run.config, {run.path.resolve()})]
    rows.append(_row(run, run))
    digests = _present_digests(run, present)
    if isinstance(digests, str):
        if rows[-1].digest:
            rows[-1].notes.append(digests)
        return rows
    for row in rows:
        _add_changes(row, digests)
    return rows


def command_of(record: Mapping[str, Any], work_dir: str = '') -> str:
    """Return the command line that makes a run, from its record; empty if that has no config.

    Args:
        record: Content of ``run.json``.
        work_dir: Work dir of the run; empty leaves it to the config.
    """
    config = record.get('config')
    if not isinstance(config, str):
        return ''
    words = ['mmtmix', 'train', config, *variant_words(_dict(record.get('variants')))]
    if work_dir:
        words += ['--work-dir', work_dir]
    options = list(map(str, record.get('options') or ()))
    if isinstance(record.get('seed'), int):
        options.append(f'randomness.seed={record["seed"]}')
    words += ['--cfg-options', *options] if options else []
    # the others describe a change, and are no flags
    words += [change for change in record.get('changes') or () if str(change).startswith('--')]
    if record.get('divide_batch'):
        words.append('--divide-batch')
    return shlex.join(map(str, words))


def _required_files(config: Mapping[str, Any], seen: set[Path]) -> Iterator[dict[str, Any]]:
    """Yield the entries of ``requires``, those of required runs first, each once."""
    for entry in config.get('requires') or ():
        produces = _dict(entry).get('produces')
        if not isinstance(produces, str):
            continue
        folder = Path(produces).parent
        if folder.resolve() in seen:
            continue
        seen.add(folder.resolve())
        try:
            inner = read_work_dir(folder)
        except OSError:
            yield dict(entry, work_dir=None)
            continue
        yield from _required_files(inner.config, seen)
        yield dict(entry, work_dir=inner)


def _required(entry: Mapping[str, Any], run: WorkDir) -> StageRow:
    """Return the row of a required run."""
    produces = str(entry['produces'])
    made: WorkDir | None = entry['work_dir']
    if made is None:
        row = StageRow(str(Path(produces).parent), 'not there')
        row.notes.append(
            f'Its work dir is not there from {Path.cwd().name}/, so nothing is known about '
            f'{produces}.'
        )
        return row
    row = _row(made, run)
    if not Path(produces).is_file():
        row.notes.append(f'{Path(produces).name}, which the run used, is not there now.')
    started, since = str(made.record.get('started') or ''), str(run.record.get('updated') or '')
    if started and since and started > since:
        row.notes.append('It was made anew after this run had ended.')
    hosts = made.record.get('host'), run.record.get('host')
    if None not in hosts and hosts[0] != hosts[1]:
        row.notes.append(f'It was made on another machine, {hosts[0]}.')
    return row


def _row(made: WorkDir, run: WorkDir) -> StageRow:
    record, name = made.record, os.fspath(made.path)
    row = StageRow(name, _state(made), work_dir=made)
    if not record:
        row.notes.append(
            'It has no readable run.json: another tool made it, or an older version of mmtmix. So '
            'its command is not known.'
        )
        seed = _dict(made.config.get('randomness')).get('seed')
        row.seed = seed if isinstance(seed, int) else None
        return row
    row.digest = str(record.get('digest') or '')
    row.seed = record.get('seed') if isinstance(record.get('seed'), int) else None
    seconds, attempts = record.get('seconds'), record.get('attempts')
    row.seconds = float(seconds) if isinstance(seconds, (int, float)) else None
    row.attempts = attempts if isinstance(attempts, int) else None
    row.command = command_of(record, name if made is run else '')
    if record.get('error'):
        row.notes.append(f'It ended with: {record["error"]}')
    changes = [str(change) for change in record.get('changes') or ()]
    if changes:
        row.notes.append(f'It was made with {", ".join(changes)}, which its config does not hold.')
    return row


def _state(made: WorkDir) -> str:
    state = made.state or (_OLDER if made.record else 'no record')
    progress: Any = made.record.get('progress')
    if state != DONE and is_progress(progress):
        return f'{state}, {progress[0]:,} of {progress[1]:,} steps'
    return state


def is_progress(value: Any) -> bool:
    """Return whether a value of a record is two numbers of steps, done and planned.

    Args:
        value: Any value.
    """
    return isinstance(value, list) and len(value) == 2 and all(isinstance(n, int) for n in value)


def _present_digests(run: WorkDir, present: PresentConfig) -> dict[Path, str] | str:
    """Return the digests of a run and of what it requires, as the configs are now.

    Returns:
        Digests by work dir; a sentence if they cannot be computed.
    """
    fault = present.fault
    if present.cfg is not None:
        try:
            seed = run.record.get('seed')
            stages = plan_stages(present.named, present.cfg, present.variants, seed)
            digests = stage_digests(stages)
        except Exception as error:
            if not is_user_error(error):
                raise
            fault = describe_error(error)
        else:
            folders = [os.path.dirname(stage.produces) for stage in stages[:-1] if stage.produces]
            made = [*map(_resolved, folders), run.path.resolve()]
            return dict(zip(made, digests, strict=True))
    if not fault:
        return {}
    return f'Whether its config was changed since is unknown: {fault}.'


def _add_changes(row: StageRow, digests: Mapping[Path, str]) -> None:
    """Note whether the configs of a stage were changed after it was made."""
    made = row.work_dir
    if made is None or not row.digest:
        return
    digest = digests.get(made.path.resolve())
    changes = [str(change) for change in made.record.get('changes') or ()]
    if digest is not None and changed_digest(digest, changes) != row.digest:
        row.notes.append(
            'Its config, or one that it requires, was changed since: a run of today would have '
            f'the digest {changed_digest(digest, changes)}.'
        )


def _resolved(folder: str) -> Path:
    return Path(folder).resolve()


def _dict(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
