"""Save and stop at the end of a step on SIGTERM."""

from __future__ import annotations

import os.path as osp
import time
from typing import Any

import torch
from mmengine.dist import all_reduce, get_world_size
from mmengine.hooks import CheckpointHook, Hook
from mmengine.runner import IterBasedTrainLoop
from mmpretrain.registry import HOOKS

from mmtmix.checks import check_integer, check_number
from mmtmix.engine.runner_privates import accumulated_steps, save_checkpoint_now
from mmtmix.utils import Stopped, stop_request


@HOOKS.register_module()
class SignalStopHook(Hook):
    """Ends a training on SIGTERM, after a checkpoint where an exact one can be written.

    Clusters send SIGTERM a while before they kill. A run by iterations saves after the current
    step, or after the last step of an accumulated gradient. A run by epochs cannot resume within
    an epoch. It continues to the end of the epoch if that is near. Otherwise it stops at once and
    loses the steps since the last checkpoint. In validation nothing is saved.

    The hook acts only within :func:`~mmtmix.utils.stoppable`, in which our tools run. Processes
    that train together all stop after the same step, even if only one got the signal.

    Args:
        interval: Number of steps between two exchanges among processes, >= 1.
        grace: Seconds that a run by epochs may continue to reach the end of its epoch, >= 0.
    """

    priority = 'LOWEST'  # after the hooks that change what a checkpoint holds

    def __init__(self, interval: int = 10, grace: float = 10.0):
        check_integer('interval', interval, 1)
        check_number('grace', grace, 0)
        self.interval = interval
        self.grace = grace
        self._started = 0.0
        self._waits_for_epoch: int | None = None

    def before_train(self, runner: Any) -> None:
        """Make signals wait for the end of a step."""
        stop_request.is_awaited = True

    def after_train(self, runner: Any) -> None:
        """Make signals end the command at once."""
        stop_request.is_awaited = False

    def before_train_epoch(self, runner: Any) -> None:
        """Store the time at which the epoch began."""
        self._started = time.monotonic()

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: dict | None = None
    ) -> None:
        """Stop if a signal came.

        Raises:
            Stopped: If a signal came, unless the end of the epoch is near.
        """
        by_iteration = isinstance(runner.train_loop, IterBasedTrainLoop)
        steps = accumulated_steps(runner.optim_wrapper)
        is_due = get_world_size() == 1 or self.every_n_train_iters(runner, self.interval)
        if self._waits_for_epoch is not None or not is_due:
            return
        if by_iteration and (runner.iter + 1) % steps:
            return  # no checkpoint holds the partial sum of gradients
        left = 0.0
        if not by_iteration:
            remaining = len(runner.train_dataloader) - batch_idx - 1
            left = (time.monotonic() - self._started) / (batch_idx + 1) * remaining
        signum, left = _agree(stop_request.signum, left)
        if signum and not by_iteration and left <= self.grace:
            self._waits_for_epoch = signum
        elif signum:
            if by_iteration:
                _save(runner, by_epoch=False)
            raise Stopped(signum, f'after iteration {runner.iter + 1}')

    def after_train_epoch(self, runner: Any) -> None:
        """Stop if a signal came earlier in the epoch.

        Raises:
            Stopped: If so.
        """
        if self._waits_for_epoch is not None:
            _save(runner, by_epoch=True)
            raise Stopped(self._waits_for_epoch, f'after epoch {runner.epoch + 1}')

    def after_val_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Stop a process that trains alone; several could not agree within a validation.

        Raises:
            Stopped: If a signal came.
        """
        if stop_request.signum is not None and get_world_size() == 1:
            raise Stopped(stop_request.signum, f'in the validation at iteration {runner.iter}')


def _agree(signum: int | None, left: float) -> tuple[int, float]:
    """Return the signal that any process received (0 if none), and the longest remaining time."""
    if get_world_size() == 1:
        return signum or 0, left
    largest = torch.tensor([float(signum or 0), left])
    all_reduce(largest, op='max')
    return int(largest[0]), float(largest[1])


def _save(runner: Any, by_epoch: bool) -> None:
    """Save by the run's own ``CheckpointHook``, unless it has just saved or counts otherwise."""
    for hook in runner.hooks:
        if isinstance(hook, CheckpointHook) and hook.by_epoch == by_epoch:
            step = runner.epoch + 1 if by_epoch else runner.iter + 1
            if osp.basename(hook.last_ckpt or '') != hook.filename_tmpl.format(step):
                save_checkpoint_now(hook, runner)
