"""Last, best and median accuracy of a run, of which papers report different ones."""

from __future__ import annotations

from typing import Any

import numpy as np
from mmengine.hooks import Hook
from mmpretrain.registry import HOOKS

from mmtmix.checks import check_integer


@HOOKS.register_module()
class AccuracySummaryHook(Hook):
    """Logs three figures of every validated accuracy after training.

    They are the last one, the best one, and the median of the last validations. PuzzleMix's and so
    TransformMix's tables report the median, with one validation per epoch. They are also written
    to the visualizer's backends as ``summary/<metric>_{last,best,median}``. A resumed run counts
    the validations in its checkpoint, which MMEngine writes before the epoch is validated.

    Args:
        window: Number of validations of the median, >= 1.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If ``window`` is not positive.
    """

    priority = 'VERY_LOW'

    def __init__(self, window: int = 10):
        check_integer('window', window, 1, cure='it counts validations')
        self.window = window

    def after_train(self, runner: Any) -> None:
        """Log the three figures."""
        for name, buffer in runner.message_hub.log_scalars.items():
            if not name.startswith('val/accuracy/'):
                continue
            history = np.asarray(buffer.data[0], dtype=float)
            recent = history[-self.window :]
            summary = dict(last=history[-1], best=history.max(), median=np.median(recent))
            metric = name.removeprefix('val/')
            runner.logger.info(
                f'{metric}: last {summary["last"]:.2f}, best {summary["best"]:.2f}, median of the '
                f'last {len(recent)} validations {summary["median"]:.2f}'
            )
            runner.visualizer.add_scalars(
                {f'summary/{metric}_{kind}': float(value) for kind, value in summary.items()},
                step=runner.epoch,
            )
