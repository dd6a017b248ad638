"""The network in training, for augments that need its gradients."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor, nn


@dataclass
class LiveModel:
    """A model in training.

    Attributes:
        model: Classifier, out of its DDP wrapper.
        losses: Losses, by name, that augments add to those of the step. The hook that registered
            the model removes them.
    """

    model: nn.Module
    losses: dict[str, Tensor] = field(default_factory=dict)


_live: LiveModel | None = None


def set_live_model(live: LiveModel | None) -> None:
    """Register the model that is being trained in this process.

    Args:
        live: The model; None after a training.
    """
    global _live
    _live = live


def live_model() -> LiveModel:
    """Return the model that is being trained.

    Raises:
        RuntimeError: If none is registered.
    """
    if _live is None:
        raise RuntimeError(
            'this augment needs the network in training, and none is registered; '
            "add custom_hooks=[dict(type='LiveModelHook')] to the config, or in a tool that draws "
            'give a --checkpoint'
        )
    return _live
