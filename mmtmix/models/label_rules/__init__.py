"""Label rules, which label the mixes of any augment."""

from .base import GT, LABEL_RULES, SHORT_NAMES, LabelRule, MixToLabel, build_labels
from .teacher import TeacherLabels
from .visible import VisibleLabels

__all__ = [
    'GT',
    'LABEL_RULES',
    'SHORT_NAMES',
    'LabelRule',
    'MixToLabel',
    'TeacherLabels',
    'VisibleLabels',
    'build_labels',
]
