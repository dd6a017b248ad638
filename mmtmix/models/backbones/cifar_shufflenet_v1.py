"""ShuffleNetV1 for small images."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from mmpretrain.models.backbones.base_backbone import BaseBackbone
from mmpretrain.models.utils import channel_shuffle
from mmpretrain.registry import MODELS
from torch import Tensor, nn

from mmtmix.checks import check_integer

_GROUPS = 3
_STAGES = ((240, 4), (480, 8), (960, 4))  # channels and blocks


class ShuffleUnit(BaseModule):
    """Grouped 1x1, shuffle, depthwise 3x3, grouped 1x1 (figure 2 of the paper).

    Args:
        in_channels: Number of channels of the input, >= 1.
        out_channels: Number of channels of the output, >= 1. With stride 2, ``in_channels`` of
            them are the pooled input.
        stride: Stride of the block, 1 or 2.
        first_groups: Number of groups, >= 1, of the first convolution and of the shuffle after it.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int, first_groups: int):
        super().__init__()
        made = out_channels - in_channels if stride == 2 else out_channels
        hidden = made // 4
        self.stride = stride
        self.first_groups = first_groups
        self.conv1 = nn.Conv2d(in_channels, hidden, 1, groups=first_groups, bias=False)
        self.bn1 = nn.BatchNorm2d(hidden)
        self.conv2 = nn.Conv2d(hidden, hidden, 3, stride, 1, groups=hidden, bias=False)
        self.bn2 = nn.BatchNorm2d(hidden)
        self.conv3 = nn.Conv2d(hidden, made, 1, groups=_GROUPS, bias=False)
        self.bn3 = nn.BatchNorm2d(made)

    def forward(self, x: Tensor) -> Tensor:
        """Return features (N, C_out, H / stride, W / stride) of features (N, C_in, H, W)."""
        out = F.relu(self.bn1(self.conv1(x)))
        out = channel_shuffle(out, self.first_groups)
        # the blocks of MMPretrain and of the paper have no activation here
        out = F.relu(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(out))
        if self.stride == 2:
            return F.relu(torch.cat((out, F.avg_pool2d(x, 3, 2, 1)), dim=1))
        return F.relu(out + x)


@MODELS.register_module()
class CifarShuffleNetV1(BaseBackbone):
    """ShuffleNetV1 of 3 groups (Zhang et al. 2018) of papers on distillation.

    It is the network of CRD and SuperMix, and differs from MMPretrain's ``ShuffleNetV1``. It has a
    1x1 stem of stride 1 without pooling, and a ReLU after the depthwise convolution. Bottlenecks
    have a quarter of the channels that the block adds: in the first block of a stage, those of the
    output less those of the pooled input. The initialisation is torch's default.

    Args:
        in_channels: Number of channels of the images, >= 1.
        init_cfg: Config of MMEngine's initialisation; by default that of torch.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range.
    """

    out_indices = (0,)  # MMPretrain's tool vis_tsne names the only output by it

    def __init__(self, in_channels: int = 3, init_cfg: dict | list | None = None):
        check_integer('in_channels', in_channels, 1)
        super().__init__(init_cfg=init_cfg)
        width = 24
        self.conv1 = nn.Conv2d(in_channels, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.layers = nn.Sequential()
        for stage, (channels, count) in enumerate(_STAGES):
            blocks = nn.Sequential()
            for block in range(count):
                # 24 channels are too few to be split
                groups = 1 if stage == block == 0 else _GROUPS
                blocks.append(ShuffleUnit(width, channels, 2 if block == 0 else 1, groups))
                width = channels
            self.layers.append(blocks)

    def forward(self, x: Tensor) -> tuple[Tensor]:
        """Return one activated map (N, 960, H / 8, W / 8) of images (N, C, H, W)."""
        return (self.layers(F.relu(self.bn1(self.conv1(x)))),)
