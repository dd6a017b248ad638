"""Stop on a loss or weights that are not finite, before they are written."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import torch
from mmengine.dist import all_reduce, is_main_process
from mmengine.hooks import CheckpointHook, Hook
from mmpretrain.registry import HOOKS
from torch import Tensor

from mmtmix.checks import check_file_name, check_flag, check_integer
from mmtmix.engine.newest_checkpoint import newest_checkpoint
from mmtmix.models.late_verdict import settle_verdicts
from mmtmix.utils import atomic_path, is_finite, unwrap, without_masks

_CURE = 'a lower lr, gradient clipping (optim_wrapper.clip_grad) or without AMP'


class DivergedError(RuntimeError):
    """A training whose loss or weights are NaN or infinite."""


@HOOKS.register_module()
class FiniteStopHook(Hook):
    """Ends a run whose loss or weights are no longer finite.

    Reading a value makes the host wait for the GPU. So the losses are gathered on the device, and
    read every ``interval`` steps, at the end of an epoch and before a checkpoint. No checkpoint,
    ``last.pth`` included, receives weights that are not finite.

    With a loss scaler (AMP in float16) single losses may overflow: the scaler skips these steps.
    Then only an interval without any finite loss counts.

    Args:
        interval: Number of steps between two readings, >= 1.
        keep_weights: Whether a copy of the last good weights is kept in memory and written when
            the run ends; for small models, or epochs that take long.
        filename: Name of the file with these weights, in the work dir.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range.
    """

    priority = 'VERY_HIGH'

    def __init__(
        self, interval: int = 50, keep_weights: bool = False, filename: str = 'last_good.pth'
    ):
        check_integer('interval', interval, 1)
        check_flag('keep_weights', keep_weights)
        check_file_name('filename', filename)
        self.interval = interval
        self.keep_weights = keep_weights
        self.filename = filename
        # step of the first loss that was not finite
        self._first: Tensor | None = None
        self._any_finite: Tensor | None = None
        self._noted = 0
        self._good: dict[str, Any] = {}

    def before_train(self, runner: Any) -> None:
        """Keep the weights that training starts from."""
        self._forget_losses()
        self._keep(runner)

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: dict | None = None
    ) -> None:
        """Gather the loss, and read the gathered losses when they are due.

        Raises:
            DivergedError: If a loss since the last reading, or a weight, is not finite.
        """
        loss = (outputs or {}).get('loss')
        if isinstance(loss, Tensor):
            self._note(torch.isfinite(loss.detach()).all(), runner.iter + 1)
        # before a checkpoint as well, where the main process alone would find the fault
        is_due = self.every_n_train_iters(runner, self.interval) or self._writes_now(runner)
        if is_due or self.end_of_epoch(runner.train_dataloader, batch_idx):
            self._read(runner)

    def before_save_checkpoint(self, runner: Any, checkpoint: dict) -> None:
        """Refuse a checkpoint whose weights are not finite.

        Raises:
            DivergedError: If a weight is not finite.
        """
        state = without_masks(checkpoint['state_dict'])
        damaged = [name for name, value in state.items() if not is_finite(value)]
        if damaged:
            raise DivergedError(
                f'the weights {", ".join(damaged[:6])} are NaN or infinite after iteration '
                f'{runner.iter}, so no checkpoint is written. {self._cure(runner)}'
            )

    def _writes_now(self, runner: Any) -> bool:
        by_iteration = (
            h for h in runner.hooks if isinstance(h, CheckpointHook) and not h.by_epoch
        )
        return any(self.every_n_train_iters(runner, hook.interval) for hook in by_iteration)

    def _note(self, finite: Tensor, step: int) -> None:
        if self._first is None or self._any_finite is None:
            self._first = torch.full((), math.inf, device=finite.device)
            self._any_finite = torch.zeros((), dtype=torch.bool, device=finite.device)
        self._first = torch.where(finite, self._first, self._first.clamp(max=step))
        self._any_finite = self._any_finite | finite
        self._noted += 1

    def _read(self, runner: Any) -> None:
        settle_verdicts()  # of augments and teachers, since the host waits here anyway
        weights = list(unwrap(runner.model).parameters())
        bad = ~torch.stack([torch.isfinite(weight).all() for weight in weights]).all()
        first = torch.full((), math.inf, device=bad.device)
        if self._first is not None and self._any_finite is not None:
            first = self._first.to(bad.device)
            lost = torch.isfinite(first)
            if hasattr(runner.optim_wrapper, 'loss_scaler'):
                lost = ~self._any_finite.to(bad.device) & (self._noted >= self.interval)
            bad = bad | lost
        verdict = torch.stack([bad.float(), -first])
        all_reduce(verdict, op='max')  # all ranks stop together
        if self._noted >= self.interval:  # fewer at the end of an epoch count with the next ones
            self._forget_losses()
        is_bad, first_bad = verdict.tolist()
        if not is_bad:
            self._keep(runner)
            return
        first_bad = -first_bad
        what = (
            f'the loss became NaN or infinite in iteration {first_bad:.0f}'
            if math.isfinite(first_bad)
            else f'a weight became NaN or infinite by iteration {runner.iter + 1}'
        )
        raise DivergedError(f'{what}. {self._cure(runner)}')

    def _cure(self, runner: Any) -> str:
        """Write the good weights, and return advice with their path."""
        if self._good:
            path = Path(runner.work_dir, self.filename)
            if is_main_process():
                with atomic_path(path) as temporary, open(temporary, 'wb') as file:
                    torch.save(self._good, file)  # given a path, torch hides the cause
            owner = f'The weights after iteration {self._good["meta"]["iter"]}'
        else:
            newest = newest_checkpoint(runner.work_dir)
            if newest is None:
                return f'No checkpoint was written before; start again with {_CURE}'
            path, owner = newest, 'Those of the last checkpoint'
        return (
            f'{owner}, the last good ones, are in {path}; start from them with '
            f'--cfg-options load_from={path} and {_CURE}'
        )

    def _forget_losses(self) -> None:
        self._first = self._any_finite = None
        self._noted = 0

    def _keep(self, runner: Any) -> None:
        if not self.keep_weights:
            return
        state = unwrap(runner.model).state_dict()
        self._good = dict(
            meta=dict(epoch=runner.epoch, iter=runner.iter + bool(self._good)),
            state_dict={name: value.detach().clone() for name, value in state.items()},
        )
