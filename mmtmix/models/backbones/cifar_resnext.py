"""ResNeXt for small images."""

from __future__ import annotations

from mmpretrain.models.backbones import ResNet_CIFAR, ResNeXt
from mmpretrain.registry import MODELS


@MODELS.register_module()
class CifarResNeXt(ResNet_CIFAR, ResNeXt):
    """ResNeXt-50, -101 and -152 with a 3x3 stem of stride 1 and no pooling after it.

    It is the ``ResNeXt_CIFAR`` of OpenMixup's tables on CIFAR-100 and Tiny-ImageNet: the stages of
    `ResNeXt <https://arxiv.org/abs/1611.05431>`_ behind the stem of MMPretrain's
    ``ResNet_CIFAR``. Its arguments are those of MMPretrain's ``ResNeXt``: ``depth``, ``groups``
    (32), ``width_per_group`` (4), ...
    """
