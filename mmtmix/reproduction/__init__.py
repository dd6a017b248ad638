"""From a printed figure to the runs that reproduce it, and back to a table.

Nothing else of this library imports it.
"""

from .cells import Cell, Checkpoint, choose_cells, read_experiments
from .execute import execute
from .plots import plot_tables
from .report import describe, render
from .results import CellResult, RunResult, collect
from .runs import Run, State, runs_of

__all__ = [
    'Cell',
    'CellResult',
    'Checkpoint',
    'Run',
    'RunResult',
    'State',
    'choose_cells',
    'collect',
    'describe',
    'execute',
    'plot_tables',
    'read_experiments',
    'render',
    'runs_of',
]
