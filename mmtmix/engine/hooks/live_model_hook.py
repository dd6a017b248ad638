"""Give the network that is being trained to augments."""

from __future__ import annotations

from typing import Any

import torch
from mmengine.hooks import Hook
from mmpretrain.registry import HOOKS
from torch import nn

from mmtmix.engine.cleanup import Cleanup
from mmtmix.engine.mixing import check_mixing
from mmtmix.engine.runner_privates import built_loop
from mmtmix.models.saliency import LiveModel, set_live_model
from mmtmix.utils import unwrap


@HOOKS.register_module()
class LiveModelHook(Hook):
    """Gives the classifier in training to augments that need it, such as PuzzleMix.

    Losses of the augments, such as ``clean_lam`` times the loss on clean images, are added to the
    losses of the step. The hook takes no argument and changes nothing for other augments.
    """

    priority = 'LOW'  # its losses come after those of hooks that mix within the forward pass

    def __init__(self) -> None:
        self.cleanup = Cleanup()
        self._live: LiveModel | None = None

    def before_run(self, runner: Any) -> None:
        """Check the augments, and undo what an earlier run has left.

        Raises:
            ValueError: If an augment would never mix.
        """
        if built_loop(runner) is not None:
            check_mixing(runner)  # other tools run no other code that checks it
            self.cleanup.begin(runner)

    def before_train(self, runner: Any) -> None:
        """Set the model, and attach to it."""
        model = unwrap(runner.model)
        live = self._live = LiveModel(model)

        @torch.compiler.disable
        def add_losses(module: nn.Module, args: tuple, losses: Any) -> Any:
            if not live.losses or not isinstance(losses, dict):
                return losses
            added, live.losses = live.losses, {}
            return {**losses, **added}

        set_live_model(live)
        self.cleanup.callback(set_live_model, None)
        self.cleanup.callback(model.register_forward_hook(add_losses).remove)

    def before_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None) -> None:
        """Drop losses of an earlier step, whose graph is gone."""
        if self._live is not None:
            self._live.losses.clear()

    def after_train(self, runner: Any) -> None:
        """Unset the model, and detach from it."""
        self.cleanup.close()
