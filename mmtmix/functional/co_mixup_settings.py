"""What Co-Mixup's solver can be told."""

from __future__ import annotations

from dataclasses import dataclass

from mmtmix.checks import check_flag, check_integer, check_number


@dataclass(frozen=True)
class CoMixupSettings:
    """Weights of the objective and number of sweeps; the defaults are the paper's on CIFAR.

    Attributes:
        beta: Smoothness, >= 0.
        gamma: Diversity: how much mixes may share images, >= 0.
        tau: Crowding below tau times a whole image is free, >= 0.
        sweeps: How often all mixes are labelled, >= 1.
        resolve: Whether mixes of the very same images are told apart in the last sweep.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range.
    """

    beta: float = 0.32
    gamma: float = 1.0
    tau: float = 0.83
    sweeps: int = 4
    resolve: bool = True

    def __post_init__(self) -> None:
        for name in ('beta', 'gamma', 'tau'):
            check_number(name, getattr(self, name), 0)
        check_integer('sweeps', self.sweeps, 1)
        check_flag('resolve', self.resolve)
