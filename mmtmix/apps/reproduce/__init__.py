"""Reproduction of printed figures: experiments, their runs, records, tables and plots.

Nothing else in this library imports this package.
"""

from .child import run_child
from .experiments import Cell, Checkpoint, choose_cells
from .experiments_file import read_experiments
from .graph import Job, JobGraph, job_graph
from .grid import Grid
from .page import Block, fill, find_blocks
from .paired import PairedDifference, paired_difference
from .plan import Plan, plan_jobs
from .plots import plot_tables
from .records import Merged, RunResult, merge_records, read_records, write_records
from .report import describe, render
from .results import CellResult, collect_results, recorded_results
from .runs import Experiment, Run, State, runs_of
from .scheduler import Scheduler, chain_seconds, expected_seconds
from .simulation import Course, critical_path, lower_bound, simulate
from .workers import ProcessWorkers

__all__ = [
    'Block',
    'Cell',
    'CellResult',
    'Checkpoint',
    'Course',
    'Experiment',
    'Grid',
    'Job',
    'JobGraph',
    'Merged',
    'PairedDifference',
    'Plan',
    'ProcessWorkers',
    'Run',
    'RunResult',
    'Scheduler',
    'State',
    'chain_seconds',
    'choose_cells',
    'collect_results',
    'critical_path',
    'describe',
    'expected_seconds',
    'fill',
    'find_blocks',
    'job_graph',
    'lower_bound',
    'merge_records',
    'paired_difference',
    'plan_jobs',
    'plot_tables',
    'read_experiments',
    'read_records',
    'recorded_results',
    'render',
    'run_child',
    'runs_of',
    'simulate',
    'write_records',
]
