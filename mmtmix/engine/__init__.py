"""Loops, hooks and optimizer wrappers; importing this registers them."""

from .hooks import (
    AccuracySummaryHook,
    AutoMixHook,
    DistillHook,
    EpochSeedHook,
    FiniteStopHook,
    LabelRangeHook,
    LastCheckpointHook,
    LiveModelHook,
)
from .optim_wrappers import AutocastOptimWrapper
from .runners import MixerSearchLoop

__all__ = [
    'AccuracySummaryHook',
    'AutoMixHook',
    'AutocastOptimWrapper',
    'DistillHook',
    'EpochSeedHook',
    'FiniteStopHook',
    'LabelRangeHook',
    'LastCheckpointHook',
    'LiveModelHook',
    'MixerSearchLoop',
]
