"""Timing of augments and training steps, for the benchmark tools alone."""

from .rows import Row, Units, measure_row, table
from .timed_mixers import BLEND, FORWARD, SUPERMIX, TEACHERS, Bench

__all__ = [
    'BLEND',
    'FORWARD',
    'SUPERMIX',
    'TEACHERS',
    'Bench',
    'Row',
    'Units',
    'measure_row',
    'table',
]
