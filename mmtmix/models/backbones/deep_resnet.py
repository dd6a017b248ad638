"""ResNets for ImageNet that are deeper than MMPretrain's."""

from __future__ import annotations

from typing import Any, ClassVar

from mmpretrain.models.backbones import ResNet
from mmpretrain.models.backbones.resnet import Bottleneck
from mmpretrain.registry import MODELS

from mmtmix.checks import check_choice


@MODELS.register_module()
class DeepResNet(ResNet):
    """MMPretrain's ``ResNet`` with depth 200 added (SuperMix, table 1).

    ResNet-200 has 3, 24, 36 and 3 bottlenecks, the stage sizes of He et al. 2016, "Identity
    mappings in deep residual networks"; the blocks are the usual post-activation ones.

    Args:
        depth: Number of layers, 200, or one of MMPretrain's 18, 34, 50, 101 and 152.
        **kwargs: Arguments of MMPretrain's ``ResNet``.

    Raises:
        ValueError: If there is no such depth.
    """

    arch_settings: ClassVar[dict] = {**ResNet.arch_settings, 200: (Bottleneck, (3, 24, 36, 3))}

    def __init__(self, depth: int = 200, **kwargs: Any):
        check_choice('depth', depth, tuple(self.arch_settings))
        super().__init__(depth, **kwargs)
