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
    AttentiveMix,
    BatchMixer,
    CoMixup,
    FMix,
    GridMix,
    MaskMixer,
    PuzzleMix,
    SaliencyMix,
    SampleCutMix,
    SampleMixup,
    SampleResizeMix,
    SmoothMix,
    SuperMix,
    TransformMix,
)
from .classifiers import AugMixClassifier, AutoMixClassifier, HeadUse, ManifoldMixup
from .losses import CRDLoss, DistillLoss, KDLoss, NetworkOutputs, SoftmaxBCELoss
from .mixers import MixBlock, TransformMixer, load_mixer, save_mixer
from .repeat_preprocessor import RepeatMixPreprocessor
from .saliency import (
    FineGrainedSaliency,
    InputGradient,
    SaliencySource,
    TeacherCAM,
    build_saliency,
)
from .search import MixerSearch
from .teachers import FrozenTeacher
from .views_preprocessor import ViewsPreprocessor

__all__ = [
    'AttentiveMix',
    'AugMixClassifier',
    'AutoMixClassifier',
    'BatchMixer',
    'CRDLoss',
    'CifarMobileNetV2',
    'CifarResNet',
    'CifarShuffleNetV1',
    'CifarShuffleNetV2',
    'CifarVGG',
    'CoMixup',
    'DeepResNet',
    'DistillLoss',
    'FMix',
    'FineGrainedSaliency',
    'FrozenTeacher',
    'GridMix',
    'HeadUse',
    'InputGradient',
    'KDLoss',
    'ManifoldMixup',
    'MaskMixer',
    'MixBlock',
    'MixerSearch',
    'NetworkOutputs',
    'PreActResNet',
    'PuzzleMix',
    'RepeatMixPreprocessor',
    'SaliencyMix',
    'SaliencySource',
    'SampleCutMix',
    'SampleMixup',
    'SampleResizeMix',
    'ShakeShake',
    'SmoothMix',
    'SoftmaxBCELoss',
    'SuperMix',
    'TeacherCAM',
    'TransformMix',
    'TransformMixer',
    'ViewsPreprocessor',
    'WideResNet',
    'build_saliency',
    'load_mixer',
    'save_mixer',
]
