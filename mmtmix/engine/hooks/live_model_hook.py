"""Hand the network that is being trained to mixers."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.runner import BaseLoop
from mmpretrain.registry import HOOKS
from torch import nn

from mmtmix.engine.attachments import close_with
from mmtmix.engine.mixing import check_mixing
from mmtmix.models.saliency import LiveModel, set_live_model
from mmtmix.utils import unwrap


@HOOKS.register_module()
class LiveModelHook(Hook):
    """Lets mixers such as PuzzleMix ask the classifier that they mix for.

    What they train on besides, such as ``clean_lam`` times the loss on clean images, is added to
    the losses of the step. It needs no argument and changes nothing for other mixers.
    """

    priority = 'LOW'  # its losses come after those hooks' that mix within the forward pass

    def __init__(self) -> None:
        self._attached = ExitStack()
        self._live: LiveModel | None = None

    def before_run(self, runner: Any) -> None:
        """Check the mixers, and see that nothing stays attached.

        Raises:
            ValueError: If a mixer would never mix.
        """
        if isinstance(runner._train_loop, BaseLoop):
            check_mixing(runner)  # in other tools nothing else does it
            close_with(runner.train_loop, self._attached)

    def before_train(self, runner: Any) -> None:
        """Hand the model over."""
        model = unwrap(runner.model)
        live = self._live = LiveModel(model)

        @torch.compiler.disable
        def add_losses(module: nn.Module, args: tuple, losses: Any) -> Any:
            if not live.losses or not isinstance(losses, dict):
                return losses
            added, live.losses = live.losses, {}
            return {**losses, **added}

        set_live_model(live)
        self._attached.callback(set_live_model, None)
        self._attached.callback(model.register_forward_hook(add_losses).remove)

    def before_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None) -> None:
        """Forget what an earlier step has left behind, whose graph is gone."""
        self._live.losses.clear()

    def after_train(self, runner: Any) -> None:
        """Take it back."""
        self._attached.close()
