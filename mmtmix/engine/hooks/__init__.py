"""Hooks."""

from .accuracy_summary_hook import AccuracySummaryHook
from .automix_hook import AutoMixHook
from .channels_last_hook import ChannelsLastHook
from .distill_hook import DistillHook
from .early_checkpoint_hook import EarlyCheckpointHook
from .epoch_seed_hook import EpochSeedHook
from .finite_stop_hook import DivergedError, FiniteStopHook
from .keep_freed_memory_hook import KeepFreedMemoryHook
from .keeping_checkpoint_hook import KeepingCheckpointHook, keep_checkpoints
from .label_range_hook import LabelRangeHook
from .last_checkpoint_hook import LastCheckpointHook
from .live_model_hook import LiveModelHook
from .mix_log_hook import MixLogHook
from .mix_visualization_hook import MixVisualizationHook
from .mixing_check_hook import MixingCheckHook
from .precision_hook import PrecisionHook
from .prediction_pictures_hook import PredictionPicturesHook
from .resume_config_hook import ResumeConfigHook
from .signal_stop_hook import SignalStopHook

__all__ = [
    'AccuracySummaryHook',
    'AutoMixHook',
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
    'MixLogHook',
    'MixVisualizationHook',
    'MixingCheckHook',
    'PrecisionHook',
    'PredictionPicturesHook',
    'ResumeConfigHook',
    'SignalStopHook',
    'keep_checkpoints',
]
