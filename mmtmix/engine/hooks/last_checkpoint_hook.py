"""The trained model under a name that other configs can refer to."""

from __future__ import annotations

import os.path as osp
from typing import Any

from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmpretrain.registry import HOOKS

from mmtmix.checks import check_file_name
from mmtmix.utils import publish_file


@HOOKS.register_module()
class LastCheckpointHook(Hook):
    """Writes ``last.pth`` into the work dir when training has ended, and only then.

    It has the weights of any checkpoint of that moment (those of the EMA, if ``EMAHook`` runs),
    without optimizer and schedulers. The file exists only if the training has finished, since it
    receives its name when it is complete.

    Args:
        filename: Name of the file in the work dir.

    Raises:
        TypeError: If ``filename`` is no string.
        ValueError: If ``filename`` is empty or has a folder before it.
    """

    priority = 'LOWEST'

    def __init__(self, filename: str = 'last.pth'):
        check_file_name('filename', filename, cure='its folder is the work dir')
        self.filename = filename

    def after_train(self, runner: Any) -> None:
        """Write the file."""
        final = write_weights(runner, self.filename, runner.epoch)
        if is_main_process():
            runner.logger.info(f'The trained model is in {final}')


def write_weights(runner: Any, filename: str, epoch: int) -> str:
    """Write the model's weights into the work dir, under their name once they are complete.

    All ranks have to call it.

    Args:
        runner: The Runner.
        filename: Name of the file in the work dir.
        epoch: Number of finished epochs, which the file holds.

    Returns:
        Path of the file.
    """
    partial = f'.{filename}.partial'
    runner.save_checkpoint(
        runner.work_dir,
        partial,
        save_optimizer=False,
        save_param_scheduler=False,
        meta=dict(epoch=epoch, iter=runner.iter),
    )
    final = osp.join(runner.work_dir, filename)
    if is_main_process():
        publish_file(osp.join(runner.work_dir, partial), final)
    return final
