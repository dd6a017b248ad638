"""Hooks."""

from .accuracy_summary_hook import AccuracySummaryHook
from .epoch_seed_hook import EpochSeedHook
from .finite_stop_hook import FiniteStopHook
from .last_checkpoint_hook import LastCheckpointHook

__all__ = ['AccuracySummaryHook', 'EpochSeedHook', 'FiniteStopHook', 'LastCheckpointHook']
