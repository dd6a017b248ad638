"""The state of everything that an augment may draw from."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class RandomState:
    """State of Python's, NumPy's and torch's global generators.

    Attributes:
        python: State of Python's generator.
        numpy: State of NumPy's global generator, from which MMPretrain's augments draw.
        cpu: State of torch's CPU generator.
        device: GPU whose generator's state is kept too, or None.
        on_device: State of that generator, or None.
    """

    python: Any
    numpy: Any
    cpu: Tensor
    device: torch.device | None = None
    on_device: Tensor | None = None

    @classmethod
    def of(cls, device: str | torch.device = 'cpu') -> RandomState:
        """Return the present state.

        Args:
            device: Device on which an augment runs; a GPU's generator is included.
        """
        device = torch.device(device)
        found = random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002
        if device.type != 'cuda':
            return cls(*found)
        return cls(*found, device, torch.cuda.get_rng_state(device))

    def restore(self) -> None:
        """Set all generators to this state."""
        random.setstate(self.python)
        np.random.set_state(self.numpy)  # noqa: NPY002
        torch.set_rng_state(self.cpu)
        if self.on_device is not None and self.device is not None:
            torch.cuda.set_rng_state(self.on_device, self.device)

    @contextmanager
    def replayed(self) -> Iterator[None]:
        """Run a block from this state on, and leave the generators as they were before it."""
        before = RandomState.of(self.device or 'cpu')
        self.restore()
        try:
            yield
        finally:
            before.restore()
