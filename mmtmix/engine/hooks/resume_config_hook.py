"""A resumed run keeps its own config; the text in its checkpoint is never executed."""

from __future__ import annotations

from typing import Any

from mmengine.hooks import Hook
from mmpretrain.registry import HOOKS


@HOOKS.register_module()
class ResumeConfigHook(Hook):
    """Removes the configs from a checkpoint before MMEngine parses them as code.

    MMEngine executes ``meta['config']`` of a resumed checkpoint. It also replaces the run's
    message hub by the checkpoint's, which has a config too. Our commands add this hook to every
    run. It takes no argument.
    """

    priority = 'VERY_HIGH'

    def after_load_checkpoint(self, runner: Any, checkpoint: dict) -> None:
        """Replace the text by the config of this run."""
        meta, hub = checkpoint.get('meta'), checkpoint.get('message_hub')
        if isinstance(meta, dict):
            meta.pop('config', None)
        if isinstance(hub, dict) and isinstance(hub.get('runtime_info'), dict):
            hub['runtime_info']['cfg'] = runner.message_hub.get_info('cfg')
