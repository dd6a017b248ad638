"""Networks, mixers and teachers; importing this registers them into MMPretrain."""

from .backbones import (
    CifarMobileNetV2,
    CifarResNet,
    CifarShuffleNetV1,
    CifarShuffleNetV2,
    CifarVGG,
    DeepResNet,
    PreActResNet,
    ShakeShake,
    WideResNet,
)
from .batch_augments import BatchMixer, SampleCutMix, SampleMixup, SuperMix, TransformMix
from .losses import CRDLoss, DistillLoss, KDLoss, NetworkOutputs
from .mixers import TransformMixer, load_mixer, save_mixer
from .search import MixerSearch
from .teachers import FrozenTeacher

__all__ = [
    'BatchMixer',
    'CRDLoss',
    'CifarMobileNetV2',
    'CifarResNet',
    'CifarShuffleNetV1',
    'CifarShuffleNetV2',
    'CifarVGG',
    'DeepResNet',
    'DistillLoss',
    'FrozenTeacher',
    'KDLoss',
    'MixerSearch',
    'NetworkOutputs',
    'PreActResNet',
    'SampleCutMix',
    'SampleMixup',
    'ShakeShake',
    'SuperMix',
    'TransformMix',
    'TransformMixer',
    'WideResNet',
    'load_mixer',
    'save_mixer',
]
