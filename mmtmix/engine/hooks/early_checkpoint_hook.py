"""The model after its first epochs, under names that other configs can refer to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmengine.hooks import Hook
from mmpretrain.registry import HOOKS

from mmtmix.checks import check_numbers

from .last_checkpoint_hook import write_weights


@HOOKS.register_module()
class EarlyCheckpointHook(Hook):
    """Writes ``early_N.pth`` into the work dir after epoch N, and keeps it.

    MMEngine's ``CheckpointHook`` deletes old checkpoints by ``max_keep_ckpts``. These have the
    weights alone, as ``last.pth`` has. They serve as early teachers of a search:

    >>> late = stage('configs/simple/teacher_grid_fashionmnist.py', 'last.pth')
    >>> early = stage('configs/simple/teacher_grid_fashionmnist.py', 'early_2.pth')
    >>> requires = [late, early]
    >>> model = dict(teacher=teacher_from(late), hard_for=dict(teacher=teacher_from(early)))

    Both files come from one run. Trainings by iterations have no epochs, and write none.

    Args:
        epochs: Numbers of the epochs after which the model is written, each >= 1.

    Raises:
        TypeError: If ``epochs`` is no list of integers.
        ValueError: If one is below 1.
    """

    priority = 'LOWEST'

    def __init__(self, epochs: Sequence[int]):
        check_numbers('epochs', epochs, least=1, whole=True)
        self.epochs = tuple(epochs)

    @staticmethod
    def name_of(epoch: int) -> str:
        """Return the name of the file of an epoch."""
        return f'early_{epoch}.pth'

    def after_train_epoch(self, runner: Any) -> None:
        """Write the file of this epoch."""
        epoch = runner.epoch + 1
        if epoch in self.epochs:
            write_weights(runner, self.name_of(epoch), epoch)
