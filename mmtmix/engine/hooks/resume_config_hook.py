"""What a checkpoint records of its run: its launch, its batch, and a config not to execute."""

from __future__ import annotations

from typing import Any

from mmengine.dist import get_world_size
from mmengine.hooks import Hook
from mmpretrain.registry import HOOKS

from mmtmix.engine.newest_checkpoint import LAUNCH
from mmtmix.engine.restarts import launch_id
from mmtmix.engine.runner_privates import accumulated_steps, built_loop, is_resumed

_BATCH = 'images_per_step'  # in the meta of a checkpoint


@HOOKS.register_module()
class ResumeConfigHook(Hook):
    """Removes the configs from a checkpoint before MMEngine parses them as code.

    MMEngine executes ``meta['config']`` of a resumed checkpoint. It also replaces the run's
    message hub by the checkpoint's, which has a config too.

    Checkpoints get the name of their launch, so that restarted processes recognise them. They also
    get the number of images per step of all processes. A run that is resumed with another number
    logs a warning, since its schedules count steps. Our commands add this hook to every run. It
    takes no argument.
    """

    priority = 'VERY_HIGH'

    def before_save_checkpoint(self, runner: Any, checkpoint: dict) -> None:
        """Add the launch and the images per step, if the checkpoint can be resumed."""
        if 'optimizer' not in checkpoint:
            return
        meta = checkpoint.setdefault('meta', {})
        meta[LAUNCH] = launch_id(runner.cfg.get('launcher') or 'none')
        meta[_BATCH] = _images_per_step(runner)

    def after_load_checkpoint(self, runner: Any, checkpoint: dict) -> None:
        """Replace the text by the config of this run, and compare the images per step."""
        meta, hub = checkpoint.get('meta'), checkpoint.get('message_hub')
        if isinstance(meta, dict):
            meta.pop('config', None)
            if is_resumed(runner):
                _compare(meta.get(_BATCH), runner)
        if isinstance(hub, dict) and isinstance(hub.get('runtime_info'), dict):
            hub['runtime_info']['cfg'] = runner.message_hub.get_info('cfg')


def _compare(before: int | None, runner: Any) -> None:
    now = _images_per_step(runner)
    if None not in (before, now) and before != now:
        runner.logger.warning(
            f'the run to resume had {before} images per step, and this one has {now}, on '
            f'{get_world_size()} processes. Schedules by iterations and the learning rate are not '
            'adapted. --divide-batch keeps the number on any number of processes'
        )


def _images_per_step(runner: Any) -> int | None:
    """Return the images of one update of the weights, of all processes; None if unknown."""
    loop = built_loop(runner)
    size = None if loop is None else getattr(loop.dataloader, 'batch_size', None)
    steps = accumulated_steps(runner.optim_wrapper)
    return None if size is None else size * get_world_size() * steps
