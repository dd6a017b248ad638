"""The seed, the precision and the progress of a training in its record, its digest in files."""

from __future__ import annotations

import time
from typing import Any

from mmengine.hooks import Hook

from mmtmix.engine.run_identity import RUN
from mmtmix.engine.run_record import RunRecord
from mmtmix.engine.runner_privates import is_resumed, shared_seed
from mmtmix.utils.living_holder import check_claim

from .precision_hook import training_precision

CHECKS = 20.0
"""Seconds between two checks whether the work dir is still claimed by this process."""


class RecordHook(Hook):
    """Puts the seed, the precision and the progress of a training into its record.

    Checkpoints get the digest of the run. A run that is resumed compares it with its own.

    The seed is the one that the Runner uses. A resumed Runner takes that of its checkpoint. The
    hook is no part of a config: the command ``train`` gives it the record of the run.

    A process that stood still for minutes may have lost its work dir to another launch. It then
    ends before it writes a checkpoint, and at its next step.

    Args:
        record: Record of the run.

    Raises:
        LostClaimError: If another process has taken over the work dir.
    """

    priority = 'LOWEST'  # counts steps that all other hooks have accepted

    def __init__(self, record: RunRecord):
        self.record = record
        self._checked = time.monotonic()
        self._resumed: dict[str, Any] | None = None  # meta of the checkpoint

    def before_save_checkpoint(self, runner: Any, checkpoint: dict) -> None:
        """Add the digest and changes of the run, by which a resumed run recognises its own."""
        check_claim(self.record.folder)
        if run := self.record.describe_run():
            checkpoint.setdefault('meta', {})[RUN] = run

    def after_load_checkpoint(self, runner: Any, checkpoint: dict) -> None:
        """Keep what the checkpoint holds of its run, if it is resumed."""
        if is_resumed(runner):
            self._resumed = dict(checkpoint.get('meta') or {})

    def before_train(self, runner: Any) -> None:
        """Set the seed, the precision, the steps that are done, and the digest if resumed."""
        if is_resumed(runner):
            self.record.continue_run(self._resumed)
        self.record.update(
            seed=shared_seed(runner),
            precision=training_precision(runner.optim_wrapper),
            progress=[runner.iter, runner.max_iters],
        )

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: dict | None = None
    ) -> None:
        """Count the step. The first one makes the run begin, if it was finished before."""
        if time.monotonic() - self._checked >= CHECKS:
            check_claim(self.record.folder)
            self._checked = time.monotonic()
        self.record.begin()
        self.record.update(progress=[runner.iter + 1, runner.max_iters])
