"""Label rules, which label the mixes of any augment."""

from .attended import AttendedLabels
from .base import GT, LABEL_RULES, SHORT_NAMES, LabelRule, MixToLabel, build_labels
from .similar import SimilarLabels
from .teacher import TeacherLabels
from .visible import VisibleLabels

__all__ = [
    'GT',
    'LABEL_RULES',
    'SHORT_NAMES',
    'AttendedLabels',
    'LabelRule',
    'MixToLabel',
    'SimilarLabels',
    'TeacherLabels',
    'VisibleLabels',
    'build_labels',
]
