"""The network that is being trained, for mixers that ask it."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor, nn


@dataclass
class LiveModel:
    """A model in training.

    Attributes:
        model: The classifier, out of its DDP wrapper.
        losses: What mixers add to the losses of the step, by name; whoever set the model takes
            them out.
    """

    model: nn.Module
    losses: dict[str, Tensor] = field(default_factory=dict)


_live: LiveModel | None = None


def set_live_model(live: LiveModel | None) -> None:
    """Say which model is being trained in this process; None if none is."""
    global _live
    _live = live


def live_model() -> LiveModel:
    """The model that is being trained.

    Raises:
        RuntimeError: If nothing has said which one it is.
    """
    if _live is None:
        raise RuntimeError(
            'this mixer asks the network that is being trained, and nothing has handed it over; '
            "add custom_hooks=[dict(type='LiveModelHook')] to the config, or in a tool that draws "
            'give a --checkpoint'
        )
    return _live
