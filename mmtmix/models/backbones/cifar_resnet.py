"""Three-stage ResNets of papers on CIFAR."""

from __future__ import annotations

from typing import Any, ClassVar

from mmpretrain.models.backbones import ResNet_CIFAR
from mmpretrain.models.backbones.resnet import BasicBlock
from mmpretrain.registry import MODELS

from mmtmix.checks import check_choice, check_flag, check_integer

# widths of the stem and of the first stage
_WIDTHS = {1: (16, 16), 4: (32, 64)}


@MODELS.register_module()
class CifarResNet(ResNet_CIFAR):
    """ResNet-20, -56, -110 and the like (He et al. 2016, section 4.2), 8x4 and 32x4.

    Three stages of (depth - 2) / 6 basic blocks, 16, 32 and 64 channels wide; those called "x4"
    in papers on distillation (CRD, SuperMix) have a stem of 32 channels and stages of 64, 128
    and 256. Shortcuts that change the shape are 1x1 convolutions with BN.

    For the four-stage ResNet-50 of these papers use MMPretrain's ``ResNet_CIFAR(50)``:
    ``CifarResNet(50)`` is a narrow net of 24 basic blocks.

    Args:
        depth: Number of layers, 6 n + 2 up to 1202.
        width: Factor of the widths of the stages, 1 or 4.
        in_channels: Number of channels of the images, >= 1.
        zero_init_residual: Whether blocks start as the identity, unlike those of the papers.
        **kwargs: Other arguments of MMPretrain's ``ResNet``: ``frozen_stages``, ``norm_eval``,
            ``with_cp``, ``init_cfg``, ...

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If the depth is not 6 n + 2 or there is no such width.
    """

    arch_settings: ClassVar[dict] = {6 * n + 2: (BasicBlock, (n, n, n)) for n in range(1, 201)}

    def __init__(
        self,
        depth: int,
        width: int = 1,
        in_channels: int = 3,
        zero_init_residual: bool = False,
        **kwargs: Any,
    ):
        check_integer('depth', depth)
        check_flag('zero_init_residual', zero_init_residual)
        check_integer('in_channels', in_channels, 1)
        if depth not in self.arch_settings:
            raise ValueError(
                f'depth must be 6 n + 2 (8, 14, 20, 32, ..., 1202), got {depth!r}; '
                'for ResNet-18, -34, -101 and -152 use ResNet_CIFAR'
            )
        check_choice('width', width, tuple(_WIDTHS))
        stem_channels, base_channels = _WIDTHS[width]
        super().__init__(
            depth,
            in_channels=in_channels,
            stem_channels=stem_channels,
            base_channels=base_channels,
            num_stages=3,
            strides=(1, 2, 2),
            dilations=(1, 1, 1),
            out_indices=(2,),
            zero_init_residual=zero_init_residual,
            **kwargs,
        )
