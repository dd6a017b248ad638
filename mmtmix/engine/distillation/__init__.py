"""The parts of :class:`~mmtmix.engine.hooks.DistillHook`."""

from .answers import TeacherAnswers
from .checks import (
    check_choices,
    check_teacher,
    check_views,
    load_losses,
    numbered_labels,
    repeats_batches,
)
from .extra_parameters import add_parameters, join_state, split_state
from .mixes import MixedBatch, Mixes, OfflineMixes, OnlineMixes, build_mixes
from .objective import KD_ON, MIXED_CLS, OLD_MIXED_CLS, DistillObjective, check_classes
from .presets import PRESETS, Method, choose_method
from .shared_seed import shared_seed
from .student import Student

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
    'TeacherAnswers',
    'add_parameters',
    'build_mixes',
    'check_choices',
    'check_classes',
    'check_teacher',
    'check_views',
    'choose_method',
    'join_state',
    'load_losses',
    'numbered_labels',
    'repeats_batches',
    'shared_seed',
    'split_state',
]
