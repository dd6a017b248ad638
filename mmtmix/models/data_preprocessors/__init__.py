"""Data preprocessors beside MMPretrain's own."""

from .repeat_preprocessor import RepeatMixPreprocessor
from .resident_preprocessor import ResidentPreprocessor
from .task_preprocessor import TaskPreprocessor
from .views_preprocessor import ViewsPreprocessor

__all__ = [
    'RepeatMixPreprocessor',
    'ResidentPreprocessor',
    'TaskPreprocessor',
    'ViewsPreprocessor',
]
