"""How batches are normalised, and how to bring one normalisation to another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import torch
from mmengine.config import Config, ConfigDict
from mmengine.logging import MessageHub
from torch import Tensor


@dataclass(frozen=True)
class InputStats:
    """Mean and standard deviation (0-255 units) and channel order of a network's input.

    Attributes:
        mean: One value a channel, or one for all; empty where inputs are not normalised.
        std: As ``mean``.
        to_rgb: Whether the data preprocessor swaps BGR images to RGB.
    """

    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    to_rgb: bool = False

    @classmethod
    def from_dict(cls, stats: Mapping) -> InputStats:
        """Read them from ``dict(mean=..., std=..., to_rgb=...)``; TypeError of anything else."""
        if not isinstance(stats, Mapping):
            raise TypeError(f'input_stats must be dict(mean=[...], std=[...]), got {stats!r}')
        lists = (list, tuple)  # a config has lists
        return cls(**{k: tuple(v) if isinstance(v, lists) else v for k, v in stats.items()})

    @classmethod
    def from_preprocessor(cls, cfg: dict) -> InputStats:
        """Read them from a ``data_preprocessor`` config."""
        return cls(
            mean=tuple(float(value) for value in cfg.get('mean') or ()),
            std=tuple(float(value) for value in cfg.get('std') or ()),
            to_rgb=bool(cfg.get('to_rgb') or cfg.get('bgr_to_rgb')),
        )

    @classmethod
    def from_config(cls, cfg: Config) -> InputStats | None:
        """Read them from a whole config; None if it has no ``data_preprocessor``."""
        preprocessor = preprocessor_config(cfg)
        return None if preprocessor is None else cls.from_preprocessor(preprocessor)

    @classmethod
    def of_running_task(cls) -> InputStats | None:
        """Those of the run in progress, from the config that MMEngine shares in its message hub.

        MMPretrain hands a batch augment normalised images without saying how they were
        normalised, so this is the only way for it to know.

        A run that an exception broke off counts as in progress: nothing tells its end. A run that
        is trained counts as over in the hooks that come after training.

        Returns:
            None where no run is in progress.

        Raises:
            ValueError: If the running config has no ``data_preprocessor`` or can't be read.
        """
        hub = MessageHub.get_current_instance()
        text = hub.get_info('cfg')
        # the config stays when a run is over; its loops take back in which of them it is, and a
        # run that is about to start one has logged nothing
        is_over = 'loop_stage' not in hub.runtime_info and hub.log_scalars
        return None if text is None or is_over else _stats_in(text)


@lru_cache(maxsize=4)  # teachers ask at each call
def _stats_in(text: str) -> InputStats:
    """Those of a config as it was printed."""
    cure = (
        "say how the batch's images are normalised: input_stats=dict(mean=[...], std=[...], "
        'to_rgb=...) in the teacher'
    )
    try:
        stats = InputStats.from_config(Config.fromstring(text, '.py'))
    except Exception as error:  # any config that doesn't survive being printed and read
        raise ValueError(f'the running config cannot be read back ({error}); {cure}') from error
    if stats is None:
        raise ValueError(f'the running config has no data_preprocessor; {cure}')
    return stats


def preprocessor_config(cfg: Config) -> ConfigDict | None:
    """The data preprocessor's settings, from where MMEngine takes them; None if there are none."""
    own = (cfg.get('model') or {}).get('data_preprocessor')
    return own or cfg.get('data_preprocessor')


class Renormalize:
    """Turn inputs that are normalised for one network into those that another expects.

    Args:
        source: How the inputs come.
        target: How the network wants them.
    """

    def __init__(self, source: InputStats, target: InputStats):
        self.source = source
        self.swap = source.to_rgb != target.to_rgb
        source_mean, source_std = _columns(source)
        target_mean, target_std = _columns(target)
        if self.swap:
            source_mean, source_std = source_mean.flip(0), source_std.flip(0)
        self.scale = (source_std / target_std).view(-1, 1, 1)
        self.shift = ((source_mean - target_mean) / target_std).view(-1, 1, 1)
        self.is_identity = not self.swap and source == target

    def to(self, device: torch.device) -> Renormalize:
        """Move to a device, in place."""
        self.scale, self.shift = self.scale.to(device), self.shift.to(device)
        return self

    def __call__(self, inputs: Tensor) -> Tensor:
        """(N, C, H, W) -> the same shape; new values, never in place."""
        if self.is_identity:
            return inputs
        if self.scale.device != inputs.device:
            self.to(inputs.device)
        if self.swap and inputs.size(1) == 3:
            inputs = inputs.flip(1)
        return inputs * self.scale.to(inputs.dtype) + self.shift.to(inputs.dtype)


def _columns(stats: InputStats) -> tuple[Tensor, Tensor]:
    return torch.tensor(stats.mean or (0.0,)), torch.tensor(stats.std or (1.0,))
