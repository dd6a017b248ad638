"""Frozen classifiers that tell mixers where to look and what a mix still shows."""

from .asks_teacher import AsksTeacher
from .building import build_teacher, check_teacher
from .frozen_teacher import FrozenTeacher
from .input_stats import InputStats, Renormalize, preprocessor_config

__all__ = [
    'AsksTeacher',
    'FrozenTeacher',
    'InputStats',
    'Renormalize',
    'build_teacher',
    'check_teacher',
    'preprocessor_config',
]
