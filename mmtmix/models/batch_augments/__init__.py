"""Mixers on one interface, :class:`BatchMixer`."""

from .batch_mixer import BatchMixer, rank_generator
from .sample_mixes import SampleCutMix, SampleMixup
from .super_mix import SuperMix
from .transform_mix import TransformMix

__all__ = [
    'BatchMixer',
    'SampleCutMix',
    'SampleMixup',
    'SuperMix',
    'TransformMix',
    'rank_generator',
]
