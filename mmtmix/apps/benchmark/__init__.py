"""Measurement of what mixing costs, for ``mmtmix benchmark`` alone."""

from .bench import Bench
from .goals import GOALS, Goal
from .report import Report, Row, Section
from .topics import TOPICS, Calls, Topic
from .verdicts import Verdict, judge, judge_all

__all__ = [
    'GOALS',
    'TOPICS',
    'Bench',
    'Calls',
    'Goal',
    'Report',
    'Row',
    'Section',
    'Topic',
    'Verdict',
    'judge',
    'judge_all',
]
