"""The precision of a run, in its log and its checkpoints."""

from __future__ import annotations

from typing import Any

import torch
from mmengine.device import get_device
from mmengine.hooks import Hook
from mmengine.optim import AmpOptimWrapper, OptimWrapperDict
from mmpretrain.registry import HOOKS

from mmtmix.engine.runner_privates import is_resumed
from mmtmix.utils import dtype_name

_ENTRY = 'precision'


@HOOKS.register_module()
class PrecisionHook(Hook):
    """Logs the precision that a run trains in and writes it into checkpoints.

    Checkpoints hold it as ``meta['precision']``, such as ``'bfloat16'``. A warning is logged if a
    run is resumed in another precision, for instance on another machine. Such a run does not end
    with the weights of an unbroken run.
    """

    def before_train(self, runner: Any) -> None:
        """Log the precision."""
        runner.logger.info(f'The model is trained in {training_precision(runner.optim_wrapper)}.')

    def before_save_checkpoint(self, runner: Any, checkpoint: dict) -> None:
        """Write the precision into the checkpoint."""
        checkpoint.setdefault('meta', {})[_ENTRY] = training_precision(runner.optim_wrapper)

    def after_load_checkpoint(self, runner: Any, checkpoint: dict) -> None:
        """Compare the precision on a resume."""
        before = (checkpoint.get('meta') or {}).get(_ENTRY)
        if not is_resumed(runner) or before is None:
            return
        now = training_precision(runner.optim_wrapper)
        if before != now:
            runner.logger.warning(
                f'This run was begun in {before} and goes on in {now}. To keep to one, set '
                f"optim_wrapper=dict(type='AutocastOptimWrapper', dtype={before!r})."
            )


def training_precision(optim_wrapper: Any) -> str:
    """Return the dtype that a forward pass in training computes in, such as ``'float32'``.

    Args:
        optim_wrapper: Optimizer wrapper, or several in an ``OptimWrapperDict``.
    """
    if isinstance(optim_wrapper, OptimWrapperDict):
        optim_wrapper = next(iter(optim_wrapper.values()))
    dtype = getattr(optim_wrapper, 'cast_dtype', None)
    if dtype is None and isinstance(optim_wrapper, AmpOptimWrapper):
        dtype = torch.get_autocast_dtype(torch.device(get_device()).type)
    return 'float32' if dtype is None else dtype_name(dtype)
