"""What the families' independent forwards are written with."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Layers:
    """Functional layers on the weights of a state dict, by their names."""

    def __init__(self, state: dict[str, Tensor]):
        self.state = state

    def __contains__(self, name: str) -> bool:
        return f'{name}.weight' in self.state

    def conv(self, x: Tensor, name: str, stride: int = 1, groups: int = 1) -> Tensor:
        weight, bias = self.state[f'{name}.weight'], self.state.get(f'{name}.bias')
        return F.conv2d(x, weight, bias, stride, weight.size(-1) // 2, groups=groups)

    def norm(self, x: Tensor, name: str) -> Tensor:
        keys = ('running_mean', 'running_var', 'weight', 'bias')
        return F.batch_norm(x, *(self.state[f'{name}.{key}'] for key in keys))


@pytest.fixture
def layers_of() -> Callable[[nn.Module], Layers]:
    """Put a network into eval mode, its norms on random values, and give its layers."""

    def prime(model: nn.Module) -> Layers:
        model.eval()
        generator = torch.Generator().manual_seed(0)
        for module in model.modules():
            if isinstance(module, nn.BatchNorm2d):
                for value in (module.running_mean, module.weight.data, module.bias.data):
                    value.uniform_(-0.5, 0.5, generator=generator)
                module.running_var.uniform_(0.5, 1.5, generator=generator)
                module.weight.data += 1
        return Layers(model.state_dict())

    return prime


@pytest.fixture
def images() -> Tensor:
    return torch.randn(2, 3, 32, 48, generator=torch.Generator().manual_seed(1))
