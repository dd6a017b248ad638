"""Refuse augments that would never mix, before the first step."""

from __future__ import annotations

from typing import Any

from mmengine.hooks import Hook
from mmpretrain.registry import HOOKS

from mmtmix.engine.mixing import check_mixing
from mmtmix.engine.runner_privates import built_loop


@HOOKS.register_module()
class MixingCheckHook(Hook):
    """Refuses a training whose augments MMPretrain would drop or never call.

    The tools of this library add it to every run. It takes no argument and changes nothing.
    """

    def before_run(self, runner: Any) -> None:
        """Check the augments of a training.

        Raises:
            ValueError: See :func:`~mmtmix.engine.mixing.check_mixing`.
        """
        if built_loop(runner) is not None:  # a test has none
            check_mixing(runner)
