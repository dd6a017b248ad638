"""Stop on a non-finite loss, with the last good weights saved."""

from __future__ import annotations

import os.path as osp
from typing import Any

import torch
from mmengine.dist import all_reduce, is_main_process
from mmengine.hooks import Hook
from mmpretrain.registry import HOOKS
from torch import Tensor

from mmtmix.checks import check_file_name, check_integer
from mmtmix.utils import atomic_path, unwrap


@HOOKS.register_module()
class FiniteStopHook(Hook):
    """Ends a run whose loss or weights are no longer finite; for small models.

    It keeps a copy of the weights in memory. Looking at a value makes the host wait for the
    GPU, so the losses are gathered on the device and looked at every ``interval`` steps, and at
    the end of an epoch before a checkpoint can be written.

    Args:
        interval: Steps between two looks, >= 1.
        filename: Name of the file with the last good weights, in the work dir.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range.
    """

    priority = 'VERY_HIGH'

    def __init__(self, interval: int = 50, filename: str = 'last_good.pth'):
        check_integer('interval', interval, 1, cure='it counts steps')
        check_file_name('filename', filename)
        self.interval = interval
        self.filename = filename
        self._all_finite: Tensor | None = None
        self._good: dict[str, Any] = {}

    def before_train(self, runner: Any) -> None:
        """Take the weights that training starts from as good."""
        self._keep(runner)

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: dict | None = None
    ) -> None:
        """Take note of the loss, and look when it is time.

        Raises:
            RuntimeError: If a loss since the last look, or a weight, is not finite.
        """
        finite = torch.isfinite(outputs['loss'].detach())
        self._all_finite = finite if self._all_finite is None else self._all_finite & finite
        is_due = self.every_n_train_iters(runner, self.interval)
        if is_due or self.end_of_epoch(runner.train_dataloader, batch_idx):
            self._look(runner)

    def _look(self, runner: Any) -> None:
        model = unwrap(runner.model)
        verdicts = [torch.isfinite(weight).all() for weight in model.parameters()]
        bad = ~torch.stack([*verdicts, self._all_finite.to(verdicts[0].device)]).all()
        self._all_finite = None
        bad = bad.float()
        all_reduce(bad, op='max')  # all ranks stop together
        if not bad:
            self._keep(runner)
            return
        path = osp.join(runner.work_dir, self.filename)
        if is_main_process():
            with atomic_path(path) as temporary:
                torch.save(self._good, temporary)
        raise RuntimeError(
            f'the loss or a weight became NaN or infinite by iteration {runner.iter + 1}. The '
            f'weights after iteration {self._good["meta"]["iter"]}, the last that are known to '
            f'be good, are in {path}; start from them with --cfg-options load_from={path} and a '
            'lower lr, gradient clipping (optim_wrapper.clip_grad) or without AMP'
        )

    def _keep(self, runner: Any) -> None:
        state = unwrap(runner.model).state_dict()
        self._good = dict(
            meta=dict(epoch=runner.epoch, iter=runner.iter + bool(self._good)),
            state_dict={name: value.detach().clone() for name, value in state.items()},
        )
