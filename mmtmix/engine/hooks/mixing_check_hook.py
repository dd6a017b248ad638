"""Refuse mixers that would never mix, before the first step."""

from __future__ import annotations

from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import BaseLoop
from mmpretrain.registry import HOOKS

from mmtmix.engine.mixing import check_mixing


@HOOKS.register_module()
class MixingCheckHook(Hook):
    """Refuses a training whose mixers MMPretrain would drop or never call.

    The tools of this library add it to every run. It needs no argument and changes nothing.
    """

    def before_run(self, runner: Any) -> None:
        """Check the mixers of a training.

        Raises:
            ValueError: See :func:`~mmtmix.engine.mixing.check_mixing`.
        """
        if isinstance(runner._train_loop, BaseLoop):  # not of a test
            check_mixing(runner)
