"""Networks, augments, mixers and teachers; importing this registers them into MMPretrain."""

from mmtmix import needs_host  # noqa: F401

from .augments import (
    AttentiveMix,
    BatchAugment,
    ChooseAugment,
    CoMixup,
    FMix,
    GridMix,
    LayerAugment,
    MaskAugment,
    PuzzleMix,
    SaliencyMix,
    SampleCutMix,
    SampleMixup,
    SampleResizeMix,
    SmoothMix,
    SuperMix,
    TransformMix,
)
from .backbones import (
    CifarMobileNetV2,
    CifarResNet,
    CifarResNeXt,
    CifarShuffleNetV1,
    CifarShuffleNetV2,
    CifarVGG,
    DeepResNet,
    EfficientNetLite0,
    PreActResNet,
    ShakeShake,
    WideResNet,
)
from .classifiers import (
    AdAutoMixClassifier,
    AugMixClassifier,
    AutoMixClassifier,
    HeadUse,
    ManifoldMixup,
)
from .data_preprocessors import (
    RepeatMixPreprocessor,
    ResidentPreprocessor,
    ViewsPreprocessor,
)
from .detailed_mix import DetailedMix, mix_with_details
from .draw import Draw
from .losses import CRDLoss, DistillLoss, KDLoss, NetworkOutputs, SoftmaxBCELoss
from .mixers import AdaptiveMixBlock, MixBlock, TransformMixer, load_mixer, save_mixer
from .saliency import (
    FineGrainedSaliency,
    InputGradient,
    SaliencySource,
    TeacherCAM,
    build_saliency,
)
from .search import MixerSearch
from .teachers import FrozenTeacher

__all__ = [
    'AdAutoMixClassifier',
    'AdaptiveMixBlock',
    'AttentiveMix',
    'AugMixClassifier',
    'AutoMixClassifier',
    'BatchAugment',
    'CRDLoss',
    'ChooseAugment',
    'CifarMobileNetV2',
    'CifarResNeXt',
    'CifarResNet',
    'CifarShuffleNetV1',
    'CifarShuffleNetV2',
    'CifarVGG',
    'CoMixup',
    'DeepResNet',
    'DetailedMix',
    'DistillLoss',
    'Draw',
    'EfficientNetLite0',
    'FMix',
    'FineGrainedSaliency',
    'FrozenTeacher',
    'GridMix',
    'HeadUse',
    'InputGradient',
    'KDLoss',
    'LayerAugment',
    'ManifoldMixup',
    'MaskAugment',
    'MixBlock',
    'MixerSearch',
    'NetworkOutputs',
    'PreActResNet',
    'PuzzleMix',
    'RepeatMixPreprocessor',
    'ResidentPreprocessor',
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
    'mix_with_details',
    'save_mixer',
]
