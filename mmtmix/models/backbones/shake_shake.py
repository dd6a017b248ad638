"""Shake-Shake regularisation: two branches, mixed by random weights in each pass."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from mmpretrain.models.backbones.base_backbone import BaseBackbone
from mmpretrain.registry import MODELS
from torch import Tensor, nn

from mmtmix.checks import check_integer

from .initialization import FAN_OUT


class _Shake(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, first: Tensor, second: Tensor, ahead: Tensor, back: Tensor) -> Tensor:
        ctx.save_for_backward(back)
        return torch.lerp(second, first, ahead)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None, None]:
        (back,) = ctx.saved_tensors
        return back * gradient, (1 - back) * gradient, None, None


def shake(first: Tensor, second: Tensor, ahead: Tensor, back: Tensor) -> Tensor:
    """Mix two branches with other weights in the backward pass than in the forward pass.

    Args:
        first: Output of the first branch, (N, C, H, W).
        second: Output of the second branch, of the same shape.
        ahead: Weight of ``first`` in the result, (N, 1, 1, 1) in [0, 1].
        back: Weight of ``first`` in the gradients, of the same shape and range.

    Returns:
        ``ahead * first + (1 - ahead) * second``; the gradient ``g`` of it reaches ``first`` as
        ``back * g`` and ``second`` as ``(1 - back) * g``.
    """
    return _Shake.apply(first, second, ahead.to(first.dtype), back.to(first.dtype))


class ShiftedShortcut(BaseModule):
    """Two 1x1 paths, the second one on the image moved right and down by a pixel.

    With stride 2 they see different pixels (section 2.1 of the paper).

    Args:
        in_channels: Number of channels of the input, >= 1.
        out_channels: Number of channels of the output, >= 2, half of them from each path.
        stride: Stride of both paths.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, out_channels // 2, 1, stride, bias=False)
        self.conv2 = nn.Conv2d(in_channels, out_channels // 2, 1, stride, bias=False)
        self.bn = nn.BatchNorm2d(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """Return features (N, C_out, H / stride, W / stride) of features (N, C_in, H, W)."""
        shifted = F.pad(x, (1, -1, 1, -1))
        return self.bn(torch.cat((self.conv1(x), self.conv2(shifted)), dim=1))


class ShakeBlock(BaseModule):
    """ReLU, then two branches conv-BN-ReLU-conv-BN, mixed.

    Args:
        in_channels: Number of channels of the input, >= 1.
        out_channels: Number of channels of the output, >= 1.
        stride: Stride of the first convolutions and of the shortcut.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int):
        super().__init__()
        self.branch1, self.branch2 = (
            nn.Sequential(
                nn.Conv2d(in_channels, out_channels, 3, stride, 1, bias=False),
                nn.BatchNorm2d(out_channels),
                nn.ReLU(),
                nn.Conv2d(out_channels, out_channels, 3, 1, 1, bias=False),
                nn.BatchNorm2d(out_channels),
            )
            for _ in range(2)
        )
        self.shortcut = None
        if in_channels != out_channels:
            self.shortcut = ShiftedShortcut(in_channels, out_channels, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Return features (N, C_out, H / stride, W / stride) of features (N, C_in, H, W)."""
        activated = F.relu(x)
        first, second = self.branch1(activated), self.branch2(activated)
        if self.training:
            ahead, back = torch.rand(2, x.size(0), 1, 1, 1, device=x.device)
            mixed = shake(first, second, ahead, back)
        else:
            mixed = (first + second) / 2
        return mixed + (x if self.shortcut is None else self.shortcut(activated))


@MODELS.register_module()
class ShakeShake(BaseBackbone):
    """Shake-Shake 26 2x96d (Gastaldi 2017), "S-S-I".

    In training each block draws two weights per image, uniform in [0, 1], from torch's default
    generator: one for the forward and one for the backward pass. In eval mode both branches count
    the same. The paper trains it for 1800 epochs with a cosine schedule.

    The output is the activated tensor after the last block, so a classic CAM on it is exact.

    Args:
        depth: Number of layers on one branch, 6 n + 2.
        base_channels: Number of channels of the first stage, >= 1, doubled in both later stages.
        in_channels: Number of channels of the images, >= 1.
        init_cfg: Config of MMEngine's initialisation; by default normal by the fan-out.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If the depth is not 6 n + 2, or base_channels is odd or 16 or less.
    """

    out_indices = (0,)  # MMPretrain's tool vis_tsne names the only output by it

    def __init__(
        self,
        depth: int = 26,
        base_channels: int = 96,
        in_channels: int = 3,
        init_cfg: dict | list | None = None,
    ):
        check_integer('depth', depth, 8, cure='6 n + 2, such as 8, 14, 20 or 26')
        check_integer('in_channels', in_channels, 1)
        check_integer('base_channels', base_channels, 18, cure='an even number')
        if (depth - 2) % 6:
            raise ValueError(f'depth must be 6 n + 2 (8, 14, 20, 26, ...), got {depth!r}')
        if base_channels % 2:
            raise ValueError(f'base_channels must be even, got {base_channels!r}')
        super().__init__(init_cfg=FAN_OUT if init_cfg is None else init_cfg)
        width = 16
        self.conv1 = nn.Conv2d(in_channels, width, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.layers = nn.Sequential()
        for stage in range(3):
            blocks = nn.Sequential()
            for block in range((depth - 2) // 6):
                stride = 2 if stage > 0 and block == 0 else 1
                blocks.append(ShakeBlock(width, base_channels * 2**stage, stride))
                width = base_channels * 2**stage
            self.layers.append(blocks)
        self.relu = nn.ReLU()  # a module, so that Grad-CAM too finds the activated tensor

    def forward(self, x: Tensor) -> tuple[Tensor]:
        """Return one activated map (N, 4 base_channels, H / 4, W / 4) of images (N, C, H, W)."""
        return (self.relu(self.layers(self.bn1(self.conv1(x)))),)
