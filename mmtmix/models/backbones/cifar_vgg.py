"""VGG for small images, with a norm after each convolution and one linear layer."""

from __future__ import annotations

from mmpretrain.models.backbones.base_backbone import BaseBackbone
from mmpretrain.registry import MODELS
from torch import Tensor, nn

from mmtmix.checks import check_choice, check_integer

from .initialization import FAN_OUT

_CONVOLUTIONS = {
    8: (1, 1, 1, 1, 1),
    11: (1, 1, 2, 2, 2),
    13: (2, 2, 2, 2, 2),
    16: (2, 2, 3, 3, 3),
    19: (2, 2, 4, 4, 4),
}
_WIDTHS = (64, 128, 256, 512, 512)


@MODELS.register_module()
class CifarVGG(BaseBackbone):
    """VGG (Simonyan & Zisserman 2015) of papers on distillation (CRD, SuperMix).

    It has five blocks of 3x3 convolutions with bias, BN and ReLU. Only the first three have 2x2
    max-pooling after them, so that 32 pixels give a 4x4 map. Global pooling and one linear layer
    follow, so a classic CAM is exact. MMPretrain's ``VGG`` has a stack of linear layers instead.

    Args:
        depth: Number of layers, 8, 11, 13, 16 or 19; it counts three linear layers, as the
            original does.
        in_channels: Number of channels of the images, >= 1.
        init_cfg: Config of MMEngine's initialisation; by default normal by the fan-out.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If there is no such depth.
    """

    out_indices = (0,)  # MMPretrain's tool vis_tsne names the only output by it

    def __init__(self, depth: int, in_channels: int = 3, init_cfg: dict | list | None = None):
        check_choice('depth', depth, tuple(_CONVOLUTIONS))
        check_integer('in_channels', in_channels, 1)
        super().__init__(init_cfg=FAN_OUT if init_cfg is None else init_cfg)
        self.layers = nn.Sequential()
        for count, width in zip(_CONVOLUTIONS[depth], _WIDTHS, strict=True):
            block = nn.Sequential()
            for _ in range(count):
                block.append(nn.Conv2d(in_channels, width, 3, padding=1))
                block.append(nn.BatchNorm2d(width))
                block.append(nn.ReLU())
                in_channels = width
            self.layers.append(block)
        self.pool = nn.MaxPool2d(2)

    def forward(self, x: Tensor) -> tuple[Tensor]:
        """Return one activated map (N, 512, H / 8, W / 8) of images (N, C, H, W)."""
        for index, block in enumerate(self.layers):
            x = block(x)
            if index < 3:
                x = self.pool(x)
        return (x,)
