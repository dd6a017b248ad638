"""Backbones that MMPretrain lacks, one family per file."""

from .cifar_mobilenet_v2 import CifarMobileNetV2
from .cifar_resnet import CifarResNet
from .cifar_resnext import CifarResNeXt
from .cifar_shufflenet_v1 import CifarShuffleNetV1
from .cifar_shufflenet_v2 import CifarShuffleNetV2
from .cifar_vgg import CifarVGG
from .deep_resnet import DeepResNet
from .efficientnet_lite import EfficientNetLite0
from .preact_resnet import PreActResNet
from .shake_shake import ShakeShake
from .wide_resnet import WideResNet

__all__ = [
    'CifarMobileNetV2',
    'CifarResNeXt',
    'CifarResNet',
    'CifarShuffleNetV1',
    'CifarShuffleNetV2',
    'CifarVGG',
    'DeepResNet',
    'EfficientNetLite0',
    'PreActResNet',
    'ShakeShake',
    'WideResNet',
]
