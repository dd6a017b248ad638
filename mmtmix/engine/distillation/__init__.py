"""The parts of :class:`~mmtmix.engine.hooks.DistillHook`."""

from .answers import TeacherAnswers
from .extra_parameters import add_parameters, join_state, split_state
from .mixes import MixedBatch, Mixes, OfflineMixes, OnlineMixes, build_mixes
from .objective import KD_ON, MIXED_CLS, DistillObjective
from .presets import PRESETS
from .shared_seed import shared_seed
from .student import Student, soft_targets

__all__ = [
    'KD_ON',
    'MIXED_CLS',
    'PRESETS',
    'DistillObjective',
    'MixedBatch',
    'Mixes',
    'OfflineMixes',
    'OnlineMixes',
    'Student',
    'TeacherAnswers',
    'add_parameters',
    'build_mixes',
    'join_state',
    'shared_seed',
    'soft_targets',
    'split_state',
]
