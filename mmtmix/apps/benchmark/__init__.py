"""What the benchmark tools time, and how they tell it. Nothing else imports this."""

from .rows import Row, Units, measure_row, table
from .subjects import BLEND, FORWARD, SUPERMIX, TEACHERS, Bench

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
