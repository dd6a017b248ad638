"""The seed, the precision and the progress of a training, in its record."""

from __future__ import annotations

from typing import Any

from mmengine.hooks import Hook

from mmtmix.engine.run_record import RunRecord
from mmtmix.engine.runner_privates import is_resumed, shared_seed

from .precision_hook import training_precision


class RecordHook(Hook):
    """Puts the seed, the precision and the progress of a training into its record.

    The seed is the one that the Runner uses. A resumed Runner takes that of its checkpoint. The
    hook is no part of a config: the command ``train`` gives it the record of the run.

    Args:
        record: Record of the run.
    """

    priority = 'LOWEST'  # counts steps that all other hooks have accepted

    def __init__(self, record: RunRecord):
        self.record = record

    def before_train(self, runner: Any) -> None:
        """Set the seed, the precision and the number of steps that are done."""
        if is_resumed(runner):
            self.record.continue_run()
        self.record.update(
            seed=shared_seed(runner),
            precision=training_precision(runner.optim_wrapper),
            progress=[runner.iter, runner.max_iters],
        )

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: dict | None = None
    ) -> None:
        """Count the step. The first one makes the run begin, if it was finished before."""
        self.record.begin()
        self.record.update(progress=[runner.iter + 1, runner.max_iters])
