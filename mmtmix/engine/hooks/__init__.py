"""Hooks."""

from .accuracy_summary_hook import AccuracySummaryHook
from .automix_hook import AutoMixHook
from .distill_hook import DistillHook
from .epoch_seed_hook import EpochSeedHook
from .finite_stop_hook import FiniteStopHook
from .label_range_hook import LabelRangeHook
from .last_checkpoint_hook import LastCheckpointHook
from .live_model_hook import LiveModelHook

__all__ = [
    'AccuracySummaryHook',
    'AutoMixHook',
    'DistillHook',
    'EpochSeedHook',
    'FiniteStopHook',
    'LabelRangeHook',
    'LastCheckpointHook',
    'LiveModelHook',
]
