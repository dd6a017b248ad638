"""Recording of a stage while it runs: what an attempt writes, and what it takes over."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from mmengine.dist import get_world_size, is_main_process

from mmtmix.datasets.mixed_shards import shard_files
from mmtmix.utils import Stopped, describe_error
from mmtmix.utils.config_paths import plain_config
from mmtmix.utils.stopping import stop_behind

from .digest import changed_digest
from .newest_checkpoint import newest_checkpoint
from .run_identity import UNMARKED, RunIdentity, unmarked_run
from .run_record import DONE, FAILED, OF_AN_ATTEMPT, RUNNING, STOPPED, RunRecord, now, read_record
from .stage_seeds import seed_in
from .stages import Stage
from .versions import used_device, used_versions

SEED_OPTION = 'randomness.seed'
"""Override that a record has as its seed, and not among the options."""

_ERROR_LENGTH = 500


class _NoRecord(RunRecord):
    """Stands for the record in processes other than the main one, and writes nothing."""

    def begin(self) -> None:
        self.has_begun = True

    def end(self, state: str, error: str | None = None) -> None:
        pass


@contextmanager
def recorded(
    stage: Stage,
    digest: str,
    changes: Sequence[str] = (),
    divide_batch: bool = False,
    progress: Callable[[], Sequence[int] | None] | None = None,
) -> Iterator[RunRecord]:
    """Record a run while the body runs it; on other processes than the main one nothing happens.

    The body may :meth:`~RunRecord.update` the record with the seed and the progress. A run that
    continues adds to the attempts and seconds of its record, and keeps its start. The record of a
    finished run stays as it is until the body calls :meth:`~RunRecord.begin`. So a training that
    is resumed at its end keeps its record.

    A run that continues from a run of another digest is neither of them. It gets a digest of its
    own, by the records at first and by the checkpoint as soon as that is loaded.

    Args:
        stage: Stage that runs, in its work dir, which this launch has claimed.
        digest: Digest of its config, from :func:`mmtmix.engine.digest.stage_digests`.
        changes: Arguments of the launch that change the result, such as ``'--amp'``.
        divide_batch: Whether the processes share the batch of the config.
        progress: Function that returns the units of work that are done, and their number.

    Yields:
        The record.

    Raises:
        ValueError: If the record in the work dir is damaged.
    """
    folder = stage.cfg.work_dir
    if not is_main_process():
        yield _NoRecord(folder, {})
        return
    goes_on, source = continues(stage), _source(stage)
    before = read_record(source)
    identity = RunIdentity(digest, tuple(changes), unmarked_run(before))
    content = dict(
        **setting_of(stage),
        digest=changed_digest(digest, changes),
        changes=list(changes),
        processes=get_world_size(),
        divide_batch=divide_batch,
        versions=used_versions(),
        device=used_device(get_world_size()),
        precision=None,
        host=socket.gethostname(),
        started=now(),
        updated=now(),
        attempts=1,
        seconds=0.0,
        state=RUNNING,
        error=None,
        progress=None,
    )
    content[UNMARKED] = unmarked_run(read_record(folder))
    earlier = _continued(before, content, identity) if before else {}
    # one that was stopped before its first checkpoint is still the same run
    if goes_on or (stage.goes_on and before.get('digest') == content['digest']):
        content, earlier = content | earlier, {}
    record = RunRecord(folder, content, content['seconds'], progress, earlier, identity)
    is_same = before.get('digest') == content['digest']
    is_here = os.path.realpath(source) == os.path.realpath(folder)
    # a training begins with its first step, and may have none left whatever its arguments
    may_be_over = is_same or 'generation' not in stage.cfg
    if not (goes_on and is_here and may_be_over and _is_done(stage, before)):
        record.begin()
    try:
        yield record
    except BaseException as error:
        stop = stop_behind(error)
        if stop is None:
            record.end(FAILED, _one_line(error))
        else:
            signum = stop.signum if isinstance(stop, Stopped) else signal.SIGINT
            record.end(STOPPED, f'stopped by {signal.Signals(signum).name}')
        raise
    record.end(DONE)


def setting_of(stage: Stage) -> dict[str, Any]:
    """Return the fields of a record that name a run: config, variants, options and seed.

    Args:
        stage: Stage of a launch.
    """
    options = [f'{name}={value}' for name, value in stage.options.items() if name != SEED_OPTION]
    return dict(
        config=os.path.normpath(plain_config(stage.config)),
        variants={name: str(value) for name, value in stage.variants.items()},
        options=sorted(options),
        seed=seed_of(stage),
    )


def seed_of(stage: Stage) -> int | None:
    """Return the seed in a config; None if it has none and the Runner chooses one.

    Args:
        stage: Stage of a launch.
    """
    return seed_in(stage.cfg)


def continues(stage: Stage) -> bool:
    """Return whether a stage would continue from a checkpoint, or from shards.

    Args:
        stage: Stage of a launch, with its work dir.
    """
    if 'generation' in stage.cfg:
        return bool(shard_files(stage.cfg.work_dir))
    if stage.cfg.get('resume'):
        return True
    is_required = stage.produces is not None
    found = newest_checkpoint(stage.cfg.work_dir)
    return (stage.goes_on or is_required) and found is not None


def _source(stage: Stage) -> str:
    """Return the folder whose run a stage continues: that of its checkpoint, or its work dir."""
    checkpoint = stage.cfg.get('load_from') if stage.cfg.get('resume') else None
    return os.path.dirname(checkpoint) if checkpoint else stage.cfg.work_dir


def _continued(
    before: Mapping[str, Any], content: Mapping[str, Any], identity: RunIdentity
) -> dict[str, Any]:
    """Return the fields that an attempt has otherwise if it continues an earlier one.

    Args:
        before: Record of the earlier attempts.
        content: Record of a run that begins.
        identity: Digest of the run that begins, and what it becomes if it continues.
    """
    fields: dict[str, Any] = dict(
        attempts=before.get('attempts', 1) + 1,
        seconds=before.get('seconds', 0.0),
        started=before.get('started', content['started']),
        progress=before.get('progress'),
    )
    if before.get('seed') is not None and content['seed'] is None:
        fields['seed'] = before['seed']
    if before.get('digest'):
        fields |= identity.after(before)
    earlier = list(before.get('earlier') or ())
    made_with = {name: before[name] for name in OF_AN_ATTEMPT if before.get(name) is not None}
    # the precision of a training is known when it starts, see RunRecord.update
    if any(content[name] != value for name, value in made_with.items()):
        earlier.append(made_with)
    return fields | (dict(earlier=earlier) if earlier else {})


def _is_done(stage: Stage, record: Mapping[str, Any]) -> bool:
    """Return whether a record is that of a finished run; old ones hold no state."""
    if 'state' in record:
        return record['state'] == DONE
    return os.path.isfile(stage.produces or os.path.join(stage.cfg.work_dir, 'last.pth'))


def _one_line(error: BaseException) -> str:
    text = f'{type(error).__name__}: {" ".join(describe_error(error).split())}'
    return text if len(text) <= _ERROR_LENGTH else text[: _ERROR_LENGTH - 3] + '...'
