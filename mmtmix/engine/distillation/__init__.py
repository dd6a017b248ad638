"""The parts of :class:`~mmtmix.engine.hooks.DistillHook`."""

from .checks import (
    check_choices,
    check_distillable,
    check_views,
    load_losses,
    numbered_labels,
    repeats_batches,
)
from .extra_parameters import add_parameters, join_state, split_state
from .heads import check_class_counts
from .mixes import MixedBatch, Mixes
from .objective import KD_ON, MIXED_CLS, OLD_MIXED_CLS, DistillObjective
from .offline_mixes import OfflineMixes
from .online_mixes import OnlineMixes
from .presets import PRESETS, Method, build_mixes, choose_method
from .student import Student
from .teacher_predictions import TeacherPredictions

__all__ = [
    'KD_ON',
    'MIXED_CLS',
    'OLD_MIXED_CLS',
    'PRESETS',
    'DistillObjective',
    'Method',
    'MixedBatch',
    'Mixes',
    'OfflineMixes',
    'OnlineMixes',
    'Student',
    'TeacherPredictions',
    'add_parameters',
    'build_mixes',
    'check_choices',
    'check_class_counts',
    'check_distillable',
    'check_views',
    'choose_method',
    'join_state',
    'load_losses',
    'numbered_labels',
    'repeats_batches',
    'split_state',
]
