"""Pre-activation ResNet without a last norm, as in PuzzleMix."""

from __future__ import annotations

import torch.nn.functional as F
from mmengine.model import BaseModule
from mmpretrain.models.backbones.base_backbone import BaseBackbone
from mmpretrain.registry import MODELS
from torch import Tensor, nn

from mmtmix.checks import check_choice, check_integer

_BLOCKS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3)}


class PreActBlock(BaseModule):
    """Two pre-activation 3x3 convolutions; a projecting shortcut takes the activated input.

    Args:
        in_channels: Number of channels of the input, >= 1.
        out_channels: Number of channels of the output, >= 1.
        stride: Stride of conv1 and of the shortcut, >= 1.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int):
        super().__init__()
        self.bn1 = nn.BatchNorm2d(in_channels)
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, 1, 1, bias=False)
        self.shortcut = None
        if stride != 1 or in_channels != out_channels:
            self.shortcut = nn.Conv2d(in_channels, out_channels, 1, stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return features (N, C_out, H / stride, W / stride) of features (N, C_in, H, W)."""
        out = F.relu(self.bn1(x))
        identity = x if self.shortcut is None else self.shortcut(out)
        return self.conv2(F.relu(self.bn2(self.conv1(out)))) + identity


@MODELS.register_module()
class PreActResNet(BaseBackbone):
    """PreActResNet-18 (He et al. 2016, "Identity mappings") as PuzzleMix trains it.

    Four stages with strides 1, 2, 2, 2 on a 3x3 stem. There is **no BN and no ReLU after the
    last block**, so the feature map has both signs; a classic CAM on it is exact all the same.
    torch's default initialisation.

    Args:
        depth: Number of layers, 18 or 34.
        in_channels: Number of channels of the images, >= 1.
        stem_stride: Stride of the stem, >= 1; 2 for Tiny-ImageNet.
        base_channels: Number of channels of stem and first stage, >= 1, doubled in each later one.
        init_cfg: Config of MMEngine's initialisation; by default that of torch.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If depth or stem_stride is none of these.
    """

    out_indices = (0,)  # MMPretrain's tool vis_tsne names the only output by it

    def __init__(
        self,
        depth: int = 18,
        in_channels: int = 3,
        stem_stride: int = 1,
        base_channels: int = 64,
        init_cfg: dict | list | None = None,
    ):
        check_choice('depth', depth, tuple(_BLOCKS))
        check_choice('stem_stride', stem_stride, (1, 2), cure='2 is for images of 64 pixels')
        check_integer('in_channels', in_channels, 1)
        check_integer('base_channels', base_channels, 1)
        super().__init__(init_cfg=init_cfg)
        self.conv1 = nn.Conv2d(in_channels, base_channels, 3, stem_stride, 1, bias=False)
        self.layers = nn.Sequential()
        width = base_channels
        for stage, count in enumerate(_BLOCKS[depth]):
            blocks = nn.Sequential()
            for block in range(count):
                stride = 2 if stage > 0 and block == 0 else 1
                blocks.append(PreActBlock(width, base_channels * 2**stage, stride))
                width = base_channels * 2**stage
            self.layers.append(blocks)

    def forward(self, x: Tensor) -> tuple[Tensor]:
        """Return one map (N, 8 base_channels, h, w) of images, with h = H / (8 stem_stride)."""
        return (self.layers(self.conv1(x)),)
