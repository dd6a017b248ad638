"""Loops, hooks and optimizer wrappers; importing this registers them."""

from .hooks import EpochSeedHook, FiniteStopHook, LastCheckpointHook
from .optim_wrappers import AutocastOptimWrapper
from .runners import MixerSearchLoop

__all__ = [
    'AutocastOptimWrapper',
    'EpochSeedHook',
    'FiniteStopHook',
    'LastCheckpointHook',
    'MixerSearchLoop',
]
