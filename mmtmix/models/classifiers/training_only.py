"""Parts of a model that only its training needs."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn


class TrainingOnly(nn.Module):
    """Holds modules that belong to a model in everything but its state dict.

    They are moved, trained and wrapped with the model. Its state dict has the keys of a model
    without them. Such a state dict can be loaded strictly, and does not change them. So every file
    that is made from it, by whatever hook, is one of a plain model. Their state for a resumed run
    is :meth:`training_state`.

    Args:
        **modules: Modules by the name of the attribute that each becomes.
    """

    def __init__(self, **modules: nn.Module):
        super().__init__()
        for name, module in modules.items():
            self.add_module(name, module)
        # functions of this file, since those of a deep copy, such as EMAHook's, must not bind this
        self.register_state_dict_post_hook(_leave_out)
        self.register_load_state_dict_pre_hook(_fill_in)

    def training_state(self) -> dict[str, Tensor]:
        """Return the state of these modules, by names like those of a state dict."""
        return {
            f'{name}.{key}': value
            for name, module in self.named_children()
            for key, value in module.state_dict().items()
        }

    def load_training_state(self, state: dict[str, Tensor]) -> None:
        """Restore :meth:`training_state`.

        Args:
            state: Value that it returned.

        Raises:
            RuntimeError: If a key is missing, left over or of another shape.
        """
        for name, module in self.named_children():
            prefix = f'{name}.'
            module.load_state_dict(
                {
                    key.removeprefix(prefix): value
                    for key, value in state.items()
                    if key.startswith(prefix)
                }
            )


def _leave_out(
    module: TrainingOnly, state: dict[str, Tensor], prefix: str, metadata: dict
) -> None:
    """Remove own keys from a state dict; torch and MMEngine both call this."""
    for key in [key for key in state if key.startswith(prefix)]:
        del state[key]


def _fill_in(module: TrainingOnly, state: dict[str, Tensor], prefix: str, *others: Any) -> None:
    """Add own keys to a state dict that is loaded, with their present values."""
    for name, value in module.training_state().items():
        state.setdefault(prefix + name, value)
