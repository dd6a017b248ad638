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
from .batch_augments import (
    BatchMixer,
    MaskMixer,
    PuzzleMix,
    SampleCutMix,
    SampleMixup,
    SuperMix,
    TransformMix,
)
from .losses import CRDLoss, DistillLoss, KDLoss, NetworkOutputs
from .mixers import TransformMixer, load_mixer, save_mixer
from .repeat_preprocessor import RepeatMixPreprocessor
from .saliency import InputGradient, SaliencySource, TeacherCAM, build_saliency
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
    'InputGradient',
    'KDLoss',
    'MaskMixer',
    'MixerSearch',
    'NetworkOutputs',
    'PreActResNet',
    'PuzzleMix',
    'SampleCutMix',
    'RepeatMixPreprocessor',
    'SaliencySource',
    'SampleMixup',
    'ShakeShake',
    'SuperMix',
    'TeacherCAM',
    'TransformMix',
    'TransformMixer',
    'WideResNet',
    'build_saliency',
    'load_mixer',
    'save_mixer',
]
