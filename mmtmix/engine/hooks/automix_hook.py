"""The momentum encoder and the schedules of AutoMix."""

from __future__ import annotations

from typing import Any

from mmengine.hooks import Hook
from mmpretrain.registry import HOOKS

from mmtmix.checks import check_number
from mmtmix.engine.runner_privates import is_resumed
from mmtmix.functional import cosine_momentum
from mmtmix.models.classifiers import AutoMixClassifier
from mmtmix.models.classifiers.momentum_encoder import MomentumEncoder
from mmtmix.utils import unwrap

_ENTRY = 'automix'
_LENGTH = 'automix_max_iters'  # in the meta of a checkpoint


@HOOKS.register_module()
class AutoMixHook(Hook):
    """Moves the momentum encoder of an ``AutoMixClassifier``, and keeps it for a resume.

    It serves ``AdAutoMixClassifier`` as well.

    The encoder begins as a copy of the classifier, after weights are loaded. The encoder and the
    mix block have an entry of their own in those checkpoints that can be resumed. The momentum and
    the weight of the mask's area depend on the finished share of the training. A run that is
    resumed with another length therefore differs from an unbroken one, and a warning is logged.

    Args:
        momentum: Momentum at the start, in [0, 1]. A run of few steps needs a smaller one: with
            0.999 the encoder is a thousand steps behind.
        end_momentum: Momentum at the end, in [momentum, 1]; the rise is half a cosine. The paper
            has 1, its code 0.999999.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If a momentum is out of its range.
    """

    def __init__(self, momentum: float = 0.999, end_momentum: float = 1.0):
        check_number('momentum', momentum, 0, 1)
        check_number('end_momentum', end_momentum, momentum, 1, cure='it rises from momentum on')
        self.momentum = momentum
        self.end_momentum = end_momentum
        self._is_resumed = False

    def before_train(self, runner: Any) -> None:
        """Copy the classifier into the encoder."""
        model = _automix(runner)
        if not self._is_resumed:
            _encoder(model).reset(model)

    def before_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None) -> None:
        """Set the finished share of the training and the step in the model."""
        model = _automix(runner)
        model.progress, model.iteration = runner.iter / runner.max_iters, runner.iter

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: dict | None = None
    ) -> None:
        """Move the encoder."""
        model = _automix(runner)
        progress = runner.iter / runner.max_iters
        momentum = cosine_momentum(progress, self.momentum, self.end_momentum)
        _encoder(model).follow(model, momentum)

    def before_save_checkpoint(self, runner: Any, checkpoint: dict) -> None:
        """Add mix block and encoder to a checkpoint that can be resumed."""
        if 'optimizer' in checkpoint:
            state = _automix(runner).mixing.training_state()
            checkpoint[_ENTRY] = {name: value.cpu() for name, value in state.items()}
            checkpoint.setdefault('meta', {})[_LENGTH] = runner.max_iters

    def after_load_checkpoint(self, runner: Any, checkpoint: dict) -> None:
        """Restore them on a resume.

        Raises:
            ValueError: If the checkpoint to resume has none.
        """
        if not is_resumed(runner):
            return
        if _ENTRY not in checkpoint:
            raise ValueError(
                'the checkpoint to resume from has no mix block and momentum encoder, for it was '
                'not made by a run with AutoMixHook; start anew, with load_from for the weights'
            )
        length = checkpoint.get('meta', {}).get(_LENGTH, runner.max_iters)
        if length != runner.max_iters:
            runner.logger.warning(
                f'AutoMixHook: the run to resume was {length} iterations long and this one is '
                f'{runner.max_iters}. Its schedules depend on the finished share, so the result '
                'differs from that of an unbroken run'
            )
        _automix(runner).mixing.load_training_state(checkpoint[_ENTRY])
        self._is_resumed = True


def _encoder(model: AutoMixClassifier) -> MomentumEncoder:
    return model.mixing.encoder


def _automix(runner: Any) -> AutoMixClassifier:
    model = unwrap(runner.model)
    if not isinstance(model, AutoMixClassifier):
        raise TypeError(
            f"AutoMixHook serves model=dict(type='AutoMixClassifier'), got {type(model).__name__}"
        )
    return model
