"""Tuning of a search's settings by the metric of its validation, over seeds."""

from .best import BEST_FILE, MODULE_FILE
from .presets import PRESETS
from .settings import TuneSettings, direction_of
from .space import Parameter, check_space, read_space
from .tune import check_optuna, tune

__all__ = [
    'BEST_FILE',
    'MODULE_FILE',
    'PRESETS',
    'Parameter',
    'TuneSettings',
    'check_optuna',
    'check_space',
    'direction_of',
    'read_space',
    'tune',
]
