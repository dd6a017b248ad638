"""Data preprocessors beside MMPretrain's own."""

from .repeat_preprocessor import RepeatMixPreprocessor
from .task_preprocessor import TaskPreprocessor
from .views_preprocessor import ViewsPreprocessor

__all__ = ['RepeatMixPreprocessor', 'TaskPreprocessor', 'ViewsPreprocessor']
