"""Wide ResNet for small images, in the two layouts that papers call WRN-d-k."""

from __future__ import annotations

import torch.nn.functional as F
from mmengine.model import BaseModule
from mmpretrain.models.backbones.base_backbone import BaseBackbone
from mmpretrain.registry import MODELS
from torch import Tensor, nn

from mmtmix.checks import check_choice, check_integer

from .initialization import FAN_OUT

LAYOUTS = ('distill', 'puzzle')


class WideBasicBlock(BaseModule):
    """Two pre-activation 3x3 convolutions.

    Args:
        in_channels: Number of channels of the input, >= 1.
        out_channels: Number of channels of the output, >= 1.
        stride: Stride of the block, on conv1 (``distill``) or conv2 (``puzzle``).
        layout: Variant of the network, see :class:`WideResNet`.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int, layout: str):
        super().__init__()
        puzzle = layout == 'puzzle'
        first, second = (1, stride) if puzzle else (stride, 1)
        self.bn1 = nn.BatchNorm2d(in_channels)
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, first, 1, bias=puzzle)
        self.bn2 = nn.BatchNorm2d(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, second, 1, bias=puzzle)
        self.shortcut = None
        if stride != 1 or in_channels != out_channels:
            self.shortcut = nn.Conv2d(in_channels, out_channels, 1, stride, bias=puzzle)
        # where the width changes, 'distill' feeds the activated input to the shortcut as well
        self.activated_shortcut = not puzzle and in_channels != out_channels

    def forward(self, x: Tensor) -> Tensor:
        """Return features (N, C_out, H / stride, W / stride) of features (N, C_in, H, W)."""
        out = F.relu(self.bn1(x))
        identity = out if self.activated_shortcut else x
        if self.shortcut is not None:
            identity = self.shortcut(identity)
        out = self.conv2(F.relu(self.bn2(self.conv1(out))))
        return out + identity


@MODELS.register_module()
class WideResNet(BaseBackbone):
    """WRN-depth-widen_factor (Zagoruyko & Komodakis 2016) with a 3x3 stem.

    Two networks go by this name in the papers:

    - ``distill``: no convolution bias, stride on conv1, fan-out init (CRD's and SuperMix's
      WRN-16-1 ... WRN-40-2).
    - ``puzzle``: every convolution has a bias, stride on conv2, raw shortcut, final BN with
      momentum 0.9, torch's default init (PuzzleMix's WRN-28-10, used by TransformMix, Table 2).

    The output is the activated tensor after the last BN, so a classic CAM on it is exact.

    Args:
        depth: Number of layers, 6 n + 4.
        widen_factor: Factor k >= 1 of the 16, 32 and 64 channels of the stages.
        in_channels: Number of channels of the images, >= 1.
        layout: Variant of the network, ``'distill'`` or ``'puzzle'``.
        stem_stride: Stride of the stem, >= 1. With 2, a step costs about a quarter.
        init_cfg: Config of MMEngine's initialisation; by default that of the layout.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If the depth is not 6 n + 4 or the layout is unknown.
    """

    out_indices = (0,)  # MMPretrain's tool vis_tsne names the only output by it

    def __init__(
        self,
        depth: int,
        widen_factor: int,
        in_channels: int = 3,
        layout: str = 'distill',
        stem_stride: int = 1,
        init_cfg: dict | list | None = None,
    ):
        check_choice('layout', layout, LAYOUTS)
        check_integer('widen_factor', widen_factor, 1)
        check_integer('in_channels', in_channels, 1)
        check_integer('stem_stride', stem_stride, 1)
        check_integer('depth', depth, 10, cure='6 n + 4, such as 10, 16, 22, 28 or 40')
        if (depth - 4) % 6:
            raise ValueError(f'depth must be 6 n + 4 (10, 16, 22, 28, 40, ...), got {depth!r}')
        if init_cfg is None and layout == 'distill':
            init_cfg = FAN_OUT
        super().__init__(init_cfg=init_cfg)
        widths = [16] + [width * widen_factor for width in (16, 32, 64)]
        self.conv1 = nn.Conv2d(in_channels, widths[0], 3, stem_stride, 1, bias=layout == 'puzzle')
        self.layers = nn.Sequential()
        for stage, stride in enumerate((1, 2, 2)):
            blocks = nn.Sequential()
            for block in range((depth - 4) // 6):
                width = widths[stage] if block == 0 else widths[stage + 1]
                blocks.append(
                    WideBasicBlock(width, widths[stage + 1], stride if block == 0 else 1, layout)
                )
            self.layers.append(blocks)
        momentum = 0.9 if layout == 'puzzle' else 0.1
        self.bn1 = nn.BatchNorm2d(widths[3], momentum=momentum)
        self.relu = nn.ReLU()  # a module, so that Grad-CAM too finds the activated tensor

    def forward(self, x: Tensor) -> tuple[Tensor]:
        """Return one feature map (N, 64 k, H / 4s, W / 4s) of images (N, C, H, W).

        k is the widen factor, and s the stride of the stem.
        """
        return (self.relu(self.bn1(self.layers(self.conv1(x)))),)
