"""ShuffleNetV2 for small images."""

from __future__ import annotations

from typing import Any

from mmcv.cnn import ConvModule
from mmpretrain.models.backbones import ShuffleNetV2
from mmpretrain.registry import MODELS
from torch import nn

from mmtmix.checks import check_choice, check_integer


@MODELS.register_module()
class CifarShuffleNetV2(ShuffleNetV2):
    """ShuffleNetV2 (Ma et al. 2018) of papers on distillation (CRD, SuperMix).

    It is MMPretrain's network with a 1x1 stem of stride 1 without pooling, so that 32 pixels give
    a 4x4 map. The initialisation is torch's default.

    Args:
        widen_factor: Factor of all widths, 0.5, 1.0, 1.5 or 2.0.
        in_channels: Number of channels of the images, >= 1.
        init_cfg: Config of MMEngine's initialisation; by default that of torch.
        **kwargs: Other arguments of MMPretrain's ``ShuffleNetV2``: ``frozen_stages``,
            ``norm_eval``, ...

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range.
    """

    def __init__(
        self,
        widen_factor: float = 1.0,
        in_channels: int = 3,
        init_cfg: dict | list | None = None,
        **kwargs: Any,
    ):
        check_choice('widen_factor', widen_factor, (0.5, 1.0, 1.5, 2.0))
        check_integer('in_channels', in_channels, 1)
        super().__init__(widen_factor, init_cfg=init_cfg, **kwargs)
        stem: Any = self.get_submodule('conv1')
        out_channels = stem.out_channels
        self.conv1 = ConvModule(
            in_channels,
            out_channels,
            kernel_size=1,
            conv_cfg=self.conv_cfg,
            norm_cfg=self.norm_cfg,
            act_cfg=self.act_cfg,
        )
        self.maxpool = nn.Identity()

    def init_weights(self) -> None:
        """Initialise by ``init_cfg``, or else as torch does, not as MMPretrain does."""
        if self.init_cfg is not None:
            super(ShuffleNetV2, self).init_weights()
            return
        for module in self.modules():
            # MMCV's ConvModule has already initialised its own otherwise
            if isinstance(module, (nn.Conv2d, nn.BatchNorm2d)):
                module.reset_parameters()
