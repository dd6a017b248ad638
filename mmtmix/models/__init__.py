"""Networks, mixers and teachers; importing this registers them into MMPretrain."""

from .backbones import WideResNet
from .batch_augments import BatchMixer, SampleCutMix, SampleMixup, SuperMix, TransformMix
from .mixers import TransformMixer, load_mixer, save_mixer
from .search import MixerSearch
from .teachers import FrozenTeacher

__all__ = [
    'BatchMixer',
    'FrozenTeacher',
    'MixerSearch',
    'SampleCutMix',
    'SampleMixup',
    'SuperMix',
    'TransformMix',
    'TransformMixer',
    'WideResNet',
    'load_mixer',
    'save_mixer',
]
