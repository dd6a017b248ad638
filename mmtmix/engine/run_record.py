"""The record of a run, ``run.json`` in its work dir: what was run, where, and how far it is.

The command ``train`` writes it for every stage, so that a run counts wherever it was made. One
process writes a record: the main one of the launch that has claimed the work dir. It renews the
record while the run goes on.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from mmengine.dist import get_world_size, is_main_process

from mmtmix.utils import Stopped, describe_error, publish_file, warn_user
from mmtmix.utils.claims import living_holder
from mmtmix.utils.config_paths import plain_config

from .digest import changed_digest
from .newest_checkpoint import newest_checkpoint
from .stages import Stage
from .versions import used_device, used_versions

RECORD = 'run.json'
"""Name of the file in the work dir of a run."""

RENEWAL = 30.0
"""Seconds between two renewals, which is the most that a kill can take off the duration."""

RUNNING, DONE, STOPPED, FAILED = 'running', 'done', 'stopped', 'failed'
INTERRUPTED = 'interrupted'
"""State of a run whose record has ``running``, while no living process works on it."""

_CONTINUED = 'continued from a run of digest '
_SEED_OPTION = 'randomness.seed'
_ERROR_LENGTH = 500
_OF_AN_ATTEMPT = ('versions', 'device', 'precision', 'host', 'processes')


def read_record(folder: str | os.PathLike) -> dict[str, Any]:
    """Return the record of a run; empty if the folder has none.

    Args:
        folder: Work dir of the run.

    Raises:
        ValueError: If the file is damaged.
    """
    path = Path(folder, RECORD)
    try:
        text = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return {}
    cure = 'move its folder aside to run this again'
    try:
        record = json.loads(text)
    except ValueError as error:  # of JSON or of UTF-8
        raise ValueError(f'{path} is damaged ({error}); {cure}') from error
    if not isinstance(record, dict) or not record:
        raise ValueError(f'{path} is damaged (no record); {cure}')
    return record


def state_of(folder: str | os.PathLike, record: Mapping[str, Any]) -> str | None:
    """Return the present state of a run.

    A killed process leaves ``running`` in the record. The claim of the folder shows whether a
    living process works there.

    Args:
        folder: Work dir of the run.
        record: Record from :func:`read_record`.

    Returns:
        ``'running'``, ``'done'``, ``'stopped'`` by a signal, ``'failed'`` or ``'interrupted'``;
        None for a record of an older version, which holds no state.
    """
    state = record.get('state')
    if state == RUNNING and living_holder(folder) is None:
        return INTERRUPTED
    return state


class RunRecord:
    """The record of a run in progress.

    Nothing is written before :meth:`begin`. A record that cannot be written, for instance on a
    full disk, does not end the run: a warning is shown once.

    Args:
        folder: Work dir of the run.
        content: Fields of the record.
        seconds: Duration in seconds of all earlier attempts, >= 0.
        progress: Function that returns the units of work that are done, and their number. By
            default :meth:`update` is given them.

    Attributes:
        content: Fields of the record.
        has_begun: Whether this attempt is recorded.
    """

    def __init__(
        self,
        folder: str | os.PathLike,
        content: Mapping[str, Any],
        seconds: float = 0.0,
        progress: Callable[[], Sequence[int] | None] | None = None,
    ):
        self.folder = Path(folder)
        self.content = dict(content)
        self.has_begun = False
        self._seconds = seconds
        self._progress = progress
        self._start = time.monotonic()  # a wall clock may be set while the run goes on
        self._lock = threading.Lock()
        self._is_over = threading.Event()
        self._has_warned = False

    def update(self, **fields: Any) -> None:
        """Set fields, which the next renewal writes.

        Args:
            fields: Values by name.
        """
        self.content.update(fields)

    def begin(self) -> None:
        """Write the record and keep it renewed; a second call does nothing."""
        if self.has_begun:
            return
        self.has_begun = True
        for left in self.folder.glob(f'.{RECORD}.*'):  # of killed processes
            left.unlink(missing_ok=True)
        self._write()
        threading.Thread(target=self._renew, name=f'record of {self.folder}', daemon=True).start()

    def end(self, state: str, error: str | None = None) -> None:
        """Write the final state; nothing if the run has not begun.

        Args:
            state: ``'done'``, ``'stopped'`` or ``'failed'``.
            error: One line about what ended it; None if it is done.
        """
        if not self.has_begun:
            return
        self._is_over.set()
        self.update(state=state, error=error)
        self._write()

    def _renew(self) -> None:
        while not self._is_over.wait(RENEWAL):
            self._write(is_renewal=True)

    def _write(self, is_renewal: bool = False) -> None:
        with self._lock:
            if is_renewal and self._is_over.is_set():
                return  # the final state must not be overwritten
            temporary = self.folder / f'.{RECORD}.{socket.gethostname()}.{os.getpid()}'
            try:
                if self._progress is not None and (progress := self._progress()) is not None:
                    self.update(progress=list(progress))
                seconds = self._seconds + time.monotonic() - self._start
                self.update(seconds=round(seconds, 1), updated=_now())
                # not by atomic_path, which changes the umask of all threads for a moment
                text = json.dumps(dict(self.content), indent=1) + '\n'
                temporary.write_text(text, encoding='utf-8')
                publish_file(temporary, self.folder / RECORD)
            except OSError as error:
                with suppress(OSError):
                    temporary.unlink(missing_ok=True)
                if not self._has_warned:
                    warn_user(
                        f'{self.folder / RECORD} cannot be written ({error}); the run goes on'
                    )
                self._has_warned = True


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
    options: Mapping[str, Any] | None = None,
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
    own.

    Args:
        stage: Stage that runs, in its work dir, which this launch has claimed.
        digest: Digest of its config, from :func:`mmtmix.engine.digest.stage_digests`.
        options: Overrides of its config, by names with dots.
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
    before = read_record(folder)
    continues = _continues(stage)
    changes = [*changes, *(_inherited(before, digest, changes) if continues else ())]
    content = dict(
        config=os.path.normpath(plain_config(stage.config)),
        variants={name: str(value) for name, value in stage.variants.items()},
        options=_option_texts(options or {}),
        seed=_seed(stage),
        digest=changed_digest(digest, changes),
        changes=changes,
        processes=get_world_size(),
        divide_batch=divide_batch,
        versions=used_versions(),
        device=used_device(get_world_size()),
        precision=None,
        host=socket.gethostname(),
        started=_now(),
        updated=_now(),
        attempts=1,
        seconds=0.0,
        state=RUNNING,
        error=None,
        progress=None,
    )
    is_same = before.get('digest') == content['digest']
    if before and (continues or (is_same and stage.goes_on)):
        content |= _carried(before, content)
    record = RunRecord(folder, content, content['seconds'], progress)
    if not (continues and is_same and _is_done(stage, before)):
        record.begin()
    try:
        yield record
    except KeyboardInterrupt as stop:
        signum = stop.signum if isinstance(stop, Stopped) else signal.SIGINT
        record.end(STOPPED, f'stopped by {signal.Signals(signum).name}')
        raise
    except BaseException as error:
        record.end(FAILED, _one_line(error))
        raise
    record.end(DONE)


def _inherited(before: Mapping[str, Any], digest: str, changes: Sequence[str]) -> list[str]:
    """Return how the run that a run continues from differed, as changes of its digest."""
    if not before.get('digest'):
        return []
    marks = [each for each in before.get('changes') or () if each.startswith(_CONTINUED)]
    if changed_digest(digest, [*changes, *marks]) == before['digest']:
        return marks
    return [f'{_CONTINUED}{before["digest"]}']


def _carried(before: Mapping[str, Any], content: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that an attempt takes from the record of the earlier ones."""
    carried: dict[str, Any] = dict(
        attempts=before.get('attempts', 1) + 1,
        seconds=before.get('seconds', 0.0),
        started=before.get('started', content['started']),
        progress=before.get('progress'),
    )
    if before.get('seed') is not None and content['seed'] is None:
        carried['seed'] = before['seed']
    earlier = list(before.get('earlier') or ())
    made_with = {name: before[name] for name in _OF_AN_ATTEMPT if before.get(name) is not None}
    if any(content[name] not in (None, value) for name, value in made_with.items()):
        earlier.append(made_with)
    return carried | (dict(earlier=earlier) if earlier else {})


def _continues(stage: Stage) -> bool:
    """Return whether a stage continues from a checkpoint, or from the shards that it has."""
    if stage.cfg.get('resume') or 'generation' in stage.cfg:
        return True
    return stage.goes_on and newest_checkpoint(stage.cfg.work_dir) is not None


def _is_done(stage: Stage, record: Mapping[str, Any]) -> bool:
    """Return whether a record is that of a finished run; old ones hold no state."""
    if 'state' in record:
        return record['state'] == DONE
    return os.path.isfile(stage.produces or os.path.join(stage.cfg.work_dir, 'last.pth'))


def _seed(stage: Stage) -> int | None:
    """Return the seed in a config; None if it has none and the Runner chooses one."""
    held = stage.cfg.get('generation') or stage.cfg.get('randomness') or {}
    seed = held.get('seed')
    return seed if isinstance(seed, int) else None


def _option_texts(options: Mapping[str, Any]) -> list[str]:
    return sorted(f'{name}={value}' for name, value in options.items() if name != _SEED_OPTION)


def _one_line(error: BaseException) -> str:
    text = f'{type(error).__name__}: {" ".join(describe_error(error).split())}'
    return text if len(text) <= _ERROR_LENGTH else text[: _ERROR_LENGTH - 3] + '...'


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec='seconds')
