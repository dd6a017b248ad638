"""Loops, hooks and optimizer wrappers; importing this registers them."""

from .hooks import AccuracySummaryHook, EpochSeedHook, FiniteStopHook, LastCheckpointHook
from .optim_wrappers import AutocastOptimWrapper
from .runners import MixerSearchLoop

__all__ = [
    'AccuracySummaryHook',
    'AutocastOptimWrapper',
    'EpochSeedHook',
    'FiniteStopHook',
    'LastCheckpointHook',
    'MixerSearchLoop',
]
