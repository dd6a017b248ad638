"""Mixers on one interface, :class:`BatchMixer`."""

from .batch_mixer import BatchMixer, rank_generator
from .building import build_mixer, mixer_config, with_input_stats
from .mask_mixer import MaskMixer
from .puzzle_mix import PuzzleMix
from .sample_mixes import SampleCutMix, SampleMixup
from .super_mix import SuperMix
from .transform_mix import TransformMix

__all__ = [
    'BatchMixer',
    'MaskMixer',
    'PuzzleMix',
    'SampleCutMix',
    'SampleMixup',
    'SuperMix',
    'TransformMix',
    'build_mixer',
    'mixer_config',
    'rank_generator',
    'with_input_stats',
]
