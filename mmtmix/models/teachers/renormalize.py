"""Change images from the normalisation of one network to that of another."""

from __future__ import annotations

import torch
from torch import Tensor

from .input_stats import COLOUR, TASK_CURE, InputStats


class Renormalize:
    """Turn inputs that are normalised for one network into those that another expects.

    Args:
        source: Statistics of the inputs. If it is the same object as ``target``, nothing changes.
        target: Statistics that the network expects.
        swap: Whether red and blue change places; None compares the two channel orders.
    """

    def __init__(self, source: InputStats, target: InputStats, swap: bool | None = None):
        self.source, self.target = source, target
        if swap is None and source is not target:
            swap = source.order.differs(target.order)
            self._is_unknown = swap is None
        else:
            self._is_unknown = False
        self.swap = bool(swap)
        source_mean, source_std = _columns(source)
        target_mean, target_std = _columns(target)
        if self.swap:
            source_mean, source_std = source_mean.flip(0), source_std.flip(0)
        self.scale = (source_std / target_std).view(-1, 1, 1)
        self.shift = ((source_mean - target_mean) / target_std).view(-1, 1, 1)
        same = (source.mean, source.std) == (target.mean, target.std)
        self.is_identity = not self.swap and same

    def to(self, device: torch.device) -> Renormalize:
        """Move the statistics to a device, in place."""
        self.scale, self.shift = self.scale.to(device), self.shift.to(device)
        return self

    def check(self, channels: int) -> None:
        """Refuse colour images if the two channel orders can't be compared.

        Args:
            channels: Number of channels of the images. Only three channels have an order.

        Raises:
            ValueError: If there are three, and the two orders can't be compared.
        """
        if channels != COLOUR or not self._is_unknown:
            return
        problems = []
        if not self.source.channel_order:
            problems.append(
                f"that of the task's images ({self.source.order.reason}): give {TASK_CURE} "
                'in the teacher, as they leave the data_preprocessor'
            )
        if not self.target.channel_order:
            problems.append(
                f"the teacher's own ({self.target.order.reason}): give channel_order='rgb' or "
                "'bgr' in the teacher, the order after the data_preprocessor in its training"
            )
        raise ValueError(
            'the order of the colour channels is unknown, so the teacher could get them swapped. '
            f'Unknown is {"; and ".join(problems)}'
        )

    def __call__(self, inputs: Tensor) -> Tensor:
        """Return images with the statistics of the target, (N, C, H, W), never in place.

        Args:
            inputs: Images with the statistics of the source, (N, C, H, W).

        Raises:
            ValueError: See :meth:`check`.
        """
        self.check(inputs.size(1))
        if self.is_identity:
            return inputs
        if self.scale.device != inputs.device:
            self.to(inputs.device)
        if self.swap and inputs.size(1) == COLOUR:
            inputs = inputs.flip(1)
        return inputs * self.scale.to(inputs.dtype) + self.shift.to(inputs.dtype)


def _columns(stats: InputStats) -> tuple[Tensor, Tensor]:
    return torch.tensor(stats.mean or (0.0,)), torch.tensor(stats.std or (1.0,))
