"""Loops, hooks and optimizer wrappers; importing this registers them."""

from .hooks import (
    AccuracySummaryHook,
    EpochSeedHook,
    FiniteStopHook,
    LabelRangeHook,
    LastCheckpointHook,
)
from .optim_wrappers import AutocastOptimWrapper
from .runners import MixerSearchLoop

__all__ = [
    'AccuracySummaryHook',
    'AutocastOptimWrapper',
    'EpochSeedHook',
    'FiniteStopHook',
    'LabelRangeHook',
    'LastCheckpointHook',
    'MixerSearchLoop',
]
