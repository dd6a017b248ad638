"""Which run an attempt belongs to, by the checkpoint that it continues from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .digest import changed_digest

RUN = 'run'
"""Name of the entry of a checkpoint's ``meta`` with the digest and changes of its run."""

CONTINUED = 'continued from a run of digest '
"""Beginning of the change in a record of a run that continued from another run's checkpoint."""

UNMARKED = 'unmarked'
"""Field of a record with the run whose checkpoints in this folder have no entry :data:`RUN`."""


@dataclass(frozen=True)
class RunIdentity:
    """The digest that a run has if it starts, and the one that it has if it continues.

    A run that continues from a checkpoint of another digest is neither of the two runs. It gets a
    mark among its changes, and so a digest of its own. Records alone can't tell: a run that was
    begun anew may leave the checkpoints of the run before it.

    Attributes:
        digest: Digest of the config.
        changes: Arguments of the launch that change the result, such as ``'--amp'``.
        unmarked: Digest and changes of the run whose checkpoints hold no digest, since an older
            version wrote them; None if there is no such run.
    """

    digest: str
    changes: tuple[str, ...]
    unmarked: Mapping[str, Any] | None = None

    def after(self, run: Mapping[str, Any] | None) -> dict[str, Any]:
        """Return the digest and changes of the run once it continues from another one.

        Args:
            run: ``digest`` and ``changes`` of the run that made the checkpoint; None if unknown.
        """
        made_by = (run or {}).get('digest')
        marks = [each for each in (run or {}).get('changes') or () if each.startswith(CONTINUED)]
        if changed_digest(self.digest, [*self.changes, *marks]) != made_by:
            marks = [f'{CONTINUED}{made_by or "unknown"}']
        changes = [*self.changes, *marks]
        return dict(digest=changed_digest(self.digest, changes), changes=changes)

    def after_checkpoint(self, meta: Mapping[str, Any]) -> dict[str, Any]:
        """Return the digest and changes of the run once it continues from a checkpoint.

        Args:
            meta: ``meta`` of the checkpoint.
        """
        return self.after(meta.get(RUN) or self.unmarked)

    def is_own(self, meta: Mapping[str, Any]) -> bool:
        """Return whether a checkpoint is of this very run.

        Args:
            meta: ``meta`` of the checkpoint.
        """
        return self.after_checkpoint(meta)['changes'] == list(self.changes)


def unmarked_run(record: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the run whose checkpoints hold no digest, by the record in their folder.

    The record of an older version is that of its checkpoints. Later records in the folder keep it
    in a field.

    Args:
        record: Record of the folder; empty if it has none.
    """
    if UNMARKED in record or not record.get('digest'):
        return record.get(UNMARKED)
    return dict(digest=record['digest'], changes=list(record.get('changes') or ()))
