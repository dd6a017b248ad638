"""Frozen classifiers that tell mixers where to look and what a mix still shows."""

from .frozen_teacher import FrozenTeacher, build_teacher
from .input_stats import InputStats, Renormalize, preprocessor_config

__all__ = [
    'FrozenTeacher',
    'InputStats',
    'Renormalize',
    'build_teacher',
    'preprocessor_config',
]
