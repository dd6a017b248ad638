"""The public networks a second time, as functions in their code bases' own names of weights.

Written from the papers' networks, not from this library's. The first pass makes the weights
where they are missing, and norms whose statistics are near those of what they get, so that
deep networks stay well conditioned.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor


class Reference(NamedTuple):
    """A network with random weights, some images and its logits for them."""

    state: dict[str, Tensor]
    images: Tensor
    logits: Tensor


class Net:
    """Functional layers on a state dict that grows in the first pass."""

    def __init__(self, seed: int = 0):
        self.state: dict[str, Tensor] = {}
        self.generator = torch.Generator().manual_seed(seed)

    def _uniform(self, size: int, low: float, high: float) -> Tensor:
        return torch.rand(size, generator=self.generator) * (high - low) + low

    def _weights(self, name: str, shape: tuple, bias: bool) -> tuple[Tensor, Tensor | None]:
        if f'{name}.weight' not in self.state:
            scale = math.sqrt(2 / math.prod(shape[1:]))
            weight = torch.empty(shape).normal_(0, scale, generator=self.generator)
            self.state[f'{name}.weight'] = weight
            if bias:
                self.state[f'{name}.bias'] = self._uniform(shape[0], -0.5, 0.5)
        return self.state[f'{name}.weight'], self.state.get(f'{name}.bias')

    def conv(self, x, name, width, kernel=3, stride=1, groups=1, bias=False) -> Tensor:
        shape = (width, x.size(1) // groups, kernel, kernel)
        return F.conv2d(x, *self._weights(name, shape, bias), stride, kernel // 2, 1, groups)

    def norm(self, x: Tensor, name: str) -> Tensor:
        kinds = ('running_mean', 'running_var', 'weight', 'bias')
        if f'{name}.weight' not in self.state:
            var, mean = torch.var_mean(x, (0, 2, 3))
            spread, width = var.sqrt() + 0.1, len(var)
            values = (
                mean + spread * self._uniform(width, -0.3, 0.3),
                spread**2 * self._uniform(width, 0.5, 1.5),
                self._uniform(width, 0.5, 1.5),
                self._uniform(width, -0.5, 0.5),
            )
            named = zip(kinds, values, strict=True)
            self.state |= {f'{name}.{kind}': value for kind, value in named}
            self.state[f'{name}.num_batches_tracked'] = torch.tensor(7)
        return F.batch_norm(x, *(self.state[f'{name}.{kind}'] for kind in kinds))

    def head(self, x: Tensor, name: str, classes: int) -> Tensor:
        x = x.mean((2, 3))
        return F.linear(x, *self._weights(name, (classes, x.size(1)), True))

    def units(self, x, pairs, *layers) -> Tensor:
        """Convolve and norm for each pair of names; ReLU between, not after the last."""
        for index, ((conv, bn), args) in enumerate(zip(pairs, layers, strict=True)):
            x = self.norm(self.conv(x if index == 0 else F.relu(x), conv, *args), bn)
        return x


def _pairs(name, *numbers):
    return [(f'{name}conv{number}', f'{name}bn{number}') for number in numbers]


def resnet(net, x, classes, blocks, stem=16, base=16):
    x = F.relu(net.units(x, _pairs('', 1), (stem,)))
    for stage in range(3):
        for block in range(blocks):
            name, width = f'layer{stage + 1}.{block}.', base * 2**stage
            stride = 2 if stage > 0 and block == 0 else 1
            out = net.units(x, _pairs(name, 1, 2), (width, 3, stride), (width,))
            if x.size(1) != width:
                pair = (f'{name}downsample.0', f'{name}downsample.1')
                x = net.units(x, [pair], (width, 1, stride))
            x = F.relu(out + x)
    return net.head(x, 'fc', classes)


def resnet50(net, x, classes):
    x = F.relu(net.units(x, _pairs('', 1), (64,)))
    for stage, blocks in enumerate((3, 4, 6, 3)):
        for block in range(blocks):
            name, width = f'layer{stage + 1}.{block}.', 64 * 2**stage
            stride = 2 if stage > 0 and block == 0 else 1
            layers = (width, 1), (width, 3, stride), (4 * width, 1)
            out = net.units(x, _pairs(name, 1, 2, 3), *layers)
            if block == 0:
                pair = (f'{name}shortcut.0', f'{name}shortcut.1')
                x = net.units(x, [pair], (4 * width, 1, stride))
            x = F.relu(out + x)
    return net.head(x, 'linear', classes)


def wrn(net, x, classes, depth, width):
    x = net.conv(x, 'conv1', 16)
    for stage in range(3):
        for block in range((depth - 4) // 6):
            name, wide = f'block{stage + 1}.layer.{block}.', 16 * width * 2**stage
            stride = 2 if stage > 0 and block == 0 else 1
            active = F.relu(net.norm(x, f'{name}bn1'))
            if x.size(1) != wide:
                x = net.conv(active, f'{name}convShortcut', wide, 1, stride)
            out = F.relu(net.norm(net.conv(active, f'{name}conv1', wide, 3, stride), f'{name}bn2'))
            x = x + net.conv(out, f'{name}conv2', wide)
    return net.head(F.relu(net.norm(x, 'bn1')), 'fc', classes)


def puzzle_wrn(net, x, classes):
    x = net.conv(x, 'conv1', 16, bias=True)
    for stage in range(3):
        for block in range(4):
            name, wide = f'layer{stage + 1}.{block}.', 160 * 2**stage
            stride = 2 if stage > 0 and block == 0 else 1
            out = net.conv(F.relu(net.norm(x, f'{name}bn1')), f'{name}conv1', wide, bias=True)
            out = F.relu(net.norm(out, f'{name}bn2'))
            out = net.conv(out, f'{name}conv2', wide, 3, stride, bias=True)
            if block == 0:
                x = net.conv(x, f'{name}shortcut.0', wide, 1, stride, bias=True)
            x = out + x
    return net.head(F.relu(net.norm(x, 'bn1')), 'linear', classes)


def puzzle_preactresnet(net, x, classes, stem_stride=1):
    x = net.conv(x, 'conv1', 64, 3, stem_stride)
    for stage in range(4):
        for block in range(2):
            name, wide = f'layer{stage + 1}.{block}.', 64 * 2**stage
            stride = 2 if stage > 0 and block == 0 else 1
            active = F.relu(net.norm(x, f'{name}bn1'))
            out = F.relu(net.norm(net.conv(active, f'{name}conv1', wide, 3, stride), f'{name}bn2'))
            if x.size(1) != wide:
                x = net.conv(active, f'{name}shortcut.0', wide, 1, stride)
            x = net.conv(out, f'{name}conv2', wide) + x
    return net.head(x, 'linear', classes)


def vgg(net, x, classes, counts):
    for block, (count, width) in enumerate(zip(counts, (64, 128, 256, 512, 512), strict=True)):
        for index in range(count):
            name = f'block{block}.{3 * index}', f'block{block}.{3 * index + 1}'
            x = F.relu(net.norm(net.conv(x, name[0], width, bias=True), name[1]))
        x = F.max_pool2d(x, 2) if block < 3 else x
    return net.head(x, 'classifier', classes)


def mobilenet_v2(net, x, classes):
    x = F.relu(net.units(x, [('conv1.0', 'conv1.1')], (16, 3, 2)))
    stages = ((8, 1, 1), (12, 2, 1), (16, 3, 2), (32, 4, 2), (48, 3, 1), (80, 3, 2), (160, 1, 1))
    for stage, (width, count, stride) in enumerate(stages):
        for block in range(count):
            name = f'blocks.{stage}.{block}.conv'
            pairs = [(f'{name}.{i}', f'{name}.{i + 1}') for i in (0, 3, 6)]
            wide = x.size(1) * (6 if stage > 0 else 1)
            depthwise = (wide, 3, stride if block == 0 else 1, wide)
            out = net.units(x, pairs, (wide, 1), depthwise, (width, 1))
            x = out + x if block > 0 else out
    x = F.relu(net.units(x, [('conv2.0', 'conv2.1')], (1280, 1)))
    return net.head(x, 'classifier.0', classes)


def _shuffle(x, groups):
    n, c, h, w = x.shape
    return x.view(n, groups, c // groups, h, w).transpose(1, 2).reshape(n, c, h, w)


def shuffle_v1(net, x, classes):
    x = F.relu(net.units(x, _pairs('', 1), (24, 1)))
    for stage, (width, count) in enumerate(((240, 4), (480, 8), (960, 4))):
        for block in range(count):
            name, stride = f'layer{stage + 1}.{block}.', 2 if block == 0 else 1
            groups = 1 if x.size(1) == 24 else 3
            made = width - x.size(1) if block == 0 else width
            mid = made // 4
            out = F.relu(net.units(x, _pairs(name, 1), (mid, 1, 1, groups)))
            layers = (mid, 3, stride, mid), (made, 1, 1, 3)
            out = net.units(_shuffle(out, groups), _pairs(name, 2, 3), *layers)
            if block == 0:
                x = F.relu(torch.cat([out, F.avg_pool2d(x, 3, 2, 1)], 1))
            else:
                x = F.relu(out + x)
    return net.head(x, 'linear', classes)


def shuffle_v2(net, x, classes):
    x = F.relu(net.units(x, _pairs('', 1), (24, 1)))
    for stage, (width, count) in enumerate(((116, 4), (232, 8), (464, 4))):
        for block in range(count):
            name, half = f'layer{stage + 1}.{block}.', width // 2
            if block == 0:
                # the depthwise convolution comes first, and without an activation after it
                left = net.units(x, _pairs(name, 1), (x.size(1), 3, 2, x.size(1)))
                left = F.relu(net.units(left, _pairs(name, 2), (half, 1)))
                right = F.relu(net.units(x, _pairs(name, 3), (half, 1)))
                stride, numbers = 2, (4, 5)
            else:
                left, right = x.chunk(2, 1)
                right = F.relu(net.units(right, _pairs(name, 1), (half, 1)))
                stride, numbers = 1, (2, 3)
            depthwise, point = _pairs(name, *numbers)
            right = net.units(right, [depthwise], (half, 3, stride, half))
            right = F.relu(net.units(right, [point], (half, 1)))
            x = _shuffle(torch.cat([left, right], 1), 2)
    return net.head(F.relu(net.units(x, _pairs('', 2), (1024, 1))), 'linear', classes)


_VGG = {8: (1,) * 5, 11: (1, 1, 2, 2, 2), 13: (2,) * 5, 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}
NETWORKS = {
    **{f'resnet{6 * n + 2}': partial(resnet, blocks=n) for n in (1, 2, 3, 5, 7, 9, 18)},
    **{f'resnet{6 * n + 2}x4': partial(resnet, blocks=n, stem=32, base=64) for n in (1, 5)},
    **{f'wrn_{d}_{k}': partial(wrn, depth=d, width=k) for d in (16, 40) for k in (1, 2)},
    **{f'vgg{depth}': partial(vgg, counts=counts) for depth, counts in _VGG.items()},
    'ResNet50': resnet50,
    'MobileNetV2': mobilenet_v2,
    'ShuffleV1': shuffle_v1,
    'ShuffleV2': shuffle_v2,
    'wrn_28_10': partial(wrn, depth=28, width=10),
    'puzzle_wrn28_10': puzzle_wrn,
    'puzzle_preactresnet18': puzzle_preactresnet,
    'puzzle_preactresnet18_tinyimagenet': partial(puzzle_preactresnet, stem_stride=2),
}


@pytest.fixture(scope='session')
def reference() -> Callable[..., Reference]:
    """Make a network of the distillation zoo or PuzzleMix: ``reference('wrn_40_2', 10)``."""

    def make(arch: str, classes: int = 100, size: int = 32) -> Reference:
        net = Net()
        images = torch.randn(2, 3, size, size, generator=net.generator)
        return Reference(net.state, images, NETWORKS[arch](net, images, classes))

    return make


@pytest.fixture(scope='module')
def resnet8(reference):
    return reference('resnet8')
