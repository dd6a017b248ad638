"""An allocator that keeps freed memory, in runs of other tools."""

from __future__ import annotations

from typing import Any

from mmengine.device import get_device
from mmengine.hooks import Hook
from mmpretrain.registry import HOOKS

from mmtmix.utils import allocator_note, keep_freed_memory


@HOOKS.register_module()
class KeepFreedMemoryHook(Hook):
    """Makes glibc keep freed memory in a run on a CPU, and logs that it does.

    It calls :func:`~mmtmix.utils.keep_freed_memory` before the run. Our commands call that
    function at their start, so only runs of other tools need the hook.
    """

    def before_run(self, runner: Any) -> None:
        """Set up the allocator."""
        if not allocator_note():  # our commands have set it up and logged it
            runner.logger.info(keep_freed_memory(get_device()))
