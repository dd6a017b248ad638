"""Mixers on one interface, :class:`BatchMixer`."""

from .batch_mixer import BatchMixer, rank_generator
from .transform_mix import TransformMix

__all__ = ['BatchMixer', 'TransformMix', 'rank_generator']
