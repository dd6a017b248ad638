"""Frozen classifiers, which give augments their saliency and their labels."""

from .building import build_teacher, check_teacher
from .channel_order import ChannelOrder
from .class_names import check_class_names, recorded_classes
from .frozen_teacher import FrozenTeacher
from .input_stats import InputStats, preprocessor_config
from .loaded_order import dataset_order, loaded_order, swaps
from .renormalize import Renormalize
from .report import TeacherReport, beats_chance
from .teacher_mixin import TeacherMixin

__all__ = [
    'ChannelOrder',
    'FrozenTeacher',
    'InputStats',
    'Renormalize',
    'TeacherMixin',
    'TeacherReport',
    'beats_chance',
    'build_teacher',
    'check_class_names',
    'check_teacher',
    'dataset_order',
    'loaded_order',
    'preprocessor_config',
    'recorded_classes',
    'swaps',
]
