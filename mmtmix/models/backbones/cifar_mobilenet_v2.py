"""MobileNetV2 for small images."""

from __future__ import annotations

from mmengine.model import BaseModule
from mmpretrain.models.backbones.base_backbone import BaseBackbone
from mmpretrain.registry import MODELS
from torch import Tensor, nn

from mmtmix.checks import check_integer, check_number

from .initialization import FAN_OUT

# channels, blocks and stride of the stages of the paper's table 2; the stride of the second one
# is 1 here, and the first one alone doesn't expand
_STAGES = (
    (16, 1, 1),
    (24, 2, 1),
    (32, 3, 2),
    (64, 4, 2),
    (96, 3, 1),
    (160, 3, 2),
    (320, 1, 1),
)


def _conv_norm(
    in_channels: int, out_channels: int, kernel_size: int, stride: int = 1, groups: int = 1
) -> list[nn.Module]:
    padding = kernel_size // 2
    return [
        nn.Conv2d(
            in_channels, out_channels, kernel_size, stride, padding, groups=groups, bias=False
        ),
        nn.BatchNorm2d(out_channels),
    ]


class InvertedResidual(BaseModule):
    """Expand (1x1), filter each channel (3x3), project (1x1, linear).

    Args:
        in_channels: Number of channels of the input, >= 1.
        out_channels: Number of channels of the output, >= 1. If it is that of the input and the
            stride is 1, the input is added.
        stride: Stride of the depthwise convolution.
        expand_ratio: Ratio of hidden to input channels, >= 1. A ratio of 1 also has the expanding
            convolution.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int, expand_ratio: int):
        super().__init__()
        hidden = in_channels * expand_ratio
        self.has_shortcut = stride == 1 and in_channels == out_channels
        self.conv = nn.Sequential(
            *_conv_norm(in_channels, hidden, 1),
            nn.ReLU(),
            *_conv_norm(hidden, hidden, 3, stride, groups=hidden),
            nn.ReLU(),
            *_conv_norm(hidden, out_channels, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return features (N, C_out, H / stride, W / stride) of features (N, C_in, H, W)."""
        return x + self.conv(x) if self.has_shortcut else self.conv(x)


@MODELS.register_module()
class CifarMobileNetV2(BaseBackbone):
    """MobileNetV2 (Sandler et al. 2018) of papers on distillation (CRD, SuperMix).

    It differs from MMPretrain's ``MobileNetV2``. It has ReLU in place of ReLU6, and stride 1 in
    the 24-channel stage. Widths are ``int(c * widen_factor)``, without rounding to eights. The
    first block has an expanding convolution, too.

    Args:
        widen_factor: Factor of all widths, > 0; the last one is never below 1280.
        in_channels: Number of channels of the images, >= 1.
        expand_ratio: Ratio of hidden to input channels of the blocks after the first, >= 1.
        init_cfg: Config of MMEngine's initialisation; by default normal by the fan-out.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If a stage would have no channels.
    """

    out_indices = (0,)  # MMPretrain's tool vis_tsne names the only output by it

    def __init__(
        self,
        widen_factor: float = 0.5,
        in_channels: int = 3,
        expand_ratio: int = 6,
        init_cfg: dict | list | None = None,
    ):
        check_number('widen_factor', widen_factor, 1 / 16)
        check_integer('in_channels', in_channels, 1)
        check_integer('expand_ratio', expand_ratio, 1)
        super().__init__(init_cfg=FAN_OUT if init_cfg is None else init_cfg)
        width = int(32 * widen_factor)
        self.conv1 = nn.Sequential(*_conv_norm(in_channels, width, 3, 2), nn.ReLU())
        self.layers = nn.Sequential()
        for index, (channels, count, stride) in enumerate(_STAGES):
            blocks = nn.Sequential()
            for block in range(count):
                blocks.append(
                    InvertedResidual(
                        width,
                        int(channels * widen_factor),
                        stride if block == 0 else 1,
                        expand_ratio if index > 0 else 1,
                    )
                )
                width = int(channels * widen_factor)
            self.layers.append(blocks)
        self.conv2 = nn.Sequential(
            *_conv_norm(width, int(1280 * max(1, widen_factor)), 1), nn.ReLU()
        )

    def forward(self, x: Tensor) -> tuple[Tensor]:
        """Return one activated map (N, 1280, H / 16, W / 16) of images (N, C, H, W)."""
        return (self.conv2(self.layers(self.conv1(x))),)
