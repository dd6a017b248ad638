"""Loops, hooks and optimizer wrappers; importing this registers them."""

from mmtmix import needs_host  # noqa: F401

from .hooks import (
    AccuracySummaryHook,
    AutoMixHook,
    ChannelsLastHook,
    DistillHook,
    DivergedError,
    EarlyCheckpointHook,
    EpochSeedHook,
    FiniteStopHook,
    KeepFreedMemoryHook,
    KeepingCheckpointHook,
    LabelRangeHook,
    LastCheckpointHook,
    LiveModelHook,
    MixingCheckHook,
    PrecisionHook,
    ResumeConfigHook,
    SignalStopHook,
)
from .optim_wrappers import AutocastOptimWrapper
from .runners import MixerSearchLoop

__all__ = [
    'AccuracySummaryHook',
    'AutoMixHook',
    'AutocastOptimWrapper',
    'ChannelsLastHook',
    'DistillHook',
    'DivergedError',
    'EarlyCheckpointHook',
    'EpochSeedHook',
    'FiniteStopHook',
    'KeepFreedMemoryHook',
    'KeepingCheckpointHook',
    'LabelRangeHook',
    'LastCheckpointHook',
    'LiveModelHook',
    'MixerSearchLoop',
    'MixingCheckHook',
    'PrecisionHook',
    'ResumeConfigHook',
    'SignalStopHook',
]
