"""Diagnostics of mixes and teachers in the log."""

from __future__ import annotations

from typing import Any

from mmengine.hooks import Hook, LoggerHook
from mmpretrain.registry import HOOKS

from mmtmix.engine.cleanup import Cleanup
from mmtmix.models.measures import Measures, measuring


@HOOKS.register_module()
class MixLogHook(Hook):
    """Logs how a mixing module warps and masks, and how accurate the teacher is.

    The values go into the lines and files of ``LoggerHook``, in the steps that it logs. Nothing is
    computed that costs a pass of a teacher, and no other step waits for the device.

    - ``teacher_clean_acc`` and ``teacher_mixed_acc``: share in percent of images, clean and mixed,
      whose largest label the teacher predicts, since the last log. They are logged where a step
      has these predictions.
    - ``theta_scale``, ``theta_shift`` and ``theta_rotation`` with their spread over the batch,
      ``theta_image_share``, ``temperature``, ``mask_entropy`` and ``kept_saliency``: those of
      the logged batch, where a module of TransformMix mixes; see
      :func:`~mmtmix.functional.warp_statistics`, :func:`~mmtmix.functional.image_share`,
      :func:`~mmtmix.functional.mask_entropy` and :func:`~mmtmix.functional.kept_saliency`.
    - ``hard_mixed_acc``, ``hard_mixed_ce``, ``masks_apart`` and ``labels_moved``: those of the
      options ``hard_for``, ``diversity`` and ``labels`` of a search.
    """

    def __init__(self) -> None:
        self.cleanup = Cleanup()
        self._measures = Measures()
        self._loggers: list[LoggerHook] = []

    def before_train(self, runner: Any) -> None:
        """Find the hooks that log."""
        self.cleanup.begin(runner)
        self._measures = Measures()
        self._loggers = [hook for hook in runner.hooks if isinstance(hook, LoggerHook)]

    def before_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None) -> None:
        """Start measuring."""
        is_logged = self._is_logged(runner, batch_idx)
        self.cleanup.enter_context(measuring(self._measures, is_logged))

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: dict | None = None
    ) -> None:
        """Hand the measures to the log that is about to be written."""
        self.cleanup.close()
        if self._is_logged(runner, batch_idx):
            for name, value in self._measures.read().items():
                runner.message_hub.update_scalar(f'train/{name}', value, resumed=False)

    def after_train(self, runner: Any) -> None:
        """Stop measuring."""
        self.cleanup.close()

    def _is_logged(self, runner: Any, batch_idx: int) -> bool:
        """Return whether a ``LoggerHook`` logs this step."""
        loader = runner.train_loop.dataloader
        for hook in self._loggers:
            if self.every_n_inner_iters(batch_idx, hook.interval):
                return True
            is_short = not hook.ignore_last or len(loader) <= hook.interval
            if is_short and self.end_of_epoch(loader, batch_idx):
                return True
        return False
