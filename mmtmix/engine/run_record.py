"""The record of a run, ``run.json`` in its work dir: what was run, where, and how far it is.

The command ``train`` writes it for every stage, so that a run counts wherever it was made. One
process writes a record: the main one of the launch that has claimed the work dir. It renews the
record while the run goes on.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmtmix.utils import publish_file, warn_user
from mmtmix.utils.living_holder import has_lost, living_holder

if TYPE_CHECKING:
    from .run_identity import RunIdentity  # which imports the stages, whose state is a record's

RECORD = 'run.json'
"""Name of the file in the work dir of a run."""

RENEWAL = 30.0
"""Seconds between two renewals, which is the most that a kill can take off the duration."""

RUNNING, DONE, STOPPED, FAILED = 'running', 'done', 'stopped', 'failed'
OF_AN_ATTEMPT = ('versions', 'device', 'precision', 'host', 'processes')
"""Fields that may differ between attempts; ``earlier`` lists those of former attempts."""

INTERRUPTED = 'interrupted'
"""State of a run whose record has ``running``, while no living process works on it."""


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
        earlier: Fields that take the place of those in ``content`` if the run turns out to
            continue an earlier one, see :meth:`continue_run`.
        identity: Digest of the run, and what it becomes if the run continues from a checkpoint;
            None if its digest stays as it is in ``content``.

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
        earlier: Mapping[str, Any] | None = None,
        identity: RunIdentity | None = None,
    ):
        self.folder = Path(folder)
        self.content = dict(content)
        self.has_begun = False
        self._seconds = seconds
        self._progress = progress
        self._earlier = dict(earlier or {})
        self._identity = identity
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
        if earlier := self.content.get('earlier'):
            # the last one counts only if this attempt differs from it
            present = {name: self.content.get(name) for name in OF_AN_ATTEMPT}
            if earlier[-1] == present:
                self.content['earlier'] = earlier[:-1]

    def continue_run(self, meta: Mapping[str, Any] | None = None) -> None:
        """Add the attempts and seconds of the earlier run, if they are not among these already.

        Processes that their launcher restarts continue, although nobody asked for it beforehand.

        Args:
            meta: ``meta`` of the checkpoint from which the run continues, which determines its
                digest; None if it is unknown.
        """
        if self._earlier:
            self._seconds += self._earlier.get('seconds', 0.0)
            self.update(**self._earlier)
            self._earlier = {}
        if meta is None or self._identity is None:
            return
        self.update(**self._identity.after_checkpoint(meta))
        if self.has_begun:
            self._write(is_renewal=True)  # a kill must not leave the digest of another run

    def is_own(self, meta: Mapping[str, Any]) -> bool:
        """Return whether a checkpoint is of this run, and not of another one in its folder.

        Args:
            meta: ``meta`` of the checkpoint.
        """
        return self._identity is None or self._identity.is_own(meta)

    def describe_run(self) -> dict[str, Any]:
        """Return what a checkpoint holds of its run; empty on ranks without a record."""
        return {name: self.content[name] for name in ('digest', 'changes') if name in self.content}

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
            if has_lost(self.folder):
                return  # the record is that of the process that has taken over
            temporary = self.folder / f'.{RECORD}.{socket.gethostname()}.{os.getpid()}'
            try:
                if self._progress is not None and (progress := self._progress()) is not None:
                    self.update(progress=list(progress))
                seconds = self._seconds + time.monotonic() - self._start
                self.update(seconds=round(seconds, 1), updated=now())
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


def now() -> str:
    """Return the present time of this machine's clock, in UTC by ISO 8601."""
    return datetime.now(timezone.utc).isoformat(timespec='seconds')
