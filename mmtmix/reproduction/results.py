"""What runs came to, read from their own logs."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mmtmix.visualization import read_scalars

from .cells import Cell, Checkpoint
from .runs import Run, State, runs_of

METRICS = ('accuracy/top1', 'accuracy/top5')  # in the order of printed figures
_WINDOW = 10  # validations of a median


@dataclass(frozen=True)
class RunResult:
    """A finished run.

    Attributes:
        seed: Of the run.
        metrics: Validated accuracy that counts, in percent, by metric.
        record: Config digest, versions, device, wall time.
    """

    seed: int
    metrics: Mapping[str, float]
    record: Mapping[str, Any]


@dataclass(frozen=True)
class CellResult:
    """What the runs of a cell came to.

    Attributes:
        cell: The cell.
        runs: Its finished runs with the present config, by seed.
        left_out: Why other runs with a folder don't count, by seed.
    """

    cell: Cell
    runs: Sequence[RunResult] = ()
    left_out: Mapping[int, str] = field(default_factory=dict)

    def values(self, metric: str) -> list[float]:
        """A metric of each run that has it."""
        return [run.metrics[metric] for run in self.runs if metric in run.metrics]

    def mean(self, metric: str) -> float | None:
        """Mean over the seeds; None without runs."""
        values = self.values(metric)
        return statistics.fmean(values) if values else None

    def deviation(self, metric: str) -> float | None:
        """Standard deviation of the seeds, n - 1; None below two runs."""
        values = self.values(metric)
        return statistics.stdev(values) if len(values) > 1 else None


def collect(cell: Cell, root: str = 'work_dirs/reproduce') -> CellResult:
    """Look for the runs of a cell.

    Args:
        cell: Any cell.
        root: The folder of all runs.

    Returns:
        The finished runs; one whose log is damaged or has no validation is left out with the
        reason.
    """
    if cell.quoted:
        return CellResult(cell)
    parent = runs_of(cell, 1, root)[0].folder.parent
    seeds = sorted(
        int(folder.name.removeprefix('seed'))
        for folder in parent.glob('seed*')
        if folder.name.removeprefix('seed').isdigit()
    )
    finished, left_out = [], {}
    for run in runs_of(cell, tuple(seeds), root) if seeds else []:
        try:
            if run.state is State.DONE:
                finished.append(RunResult(run.seed, _metrics(run, cell.checkpoint), run.record))
            elif run.state is not State.NOT_RUN:
                left_out[run.seed] = run.state.value
        except (FileNotFoundError, ValueError) as error:  # the other runs still tell something
            left_out[run.seed] = str(error)
    return CellResult(cell, finished, left_out)


def _metrics(run: Run, checkpoint: Checkpoint) -> dict[str, float]:
    """The accuracies that count, each by its own history."""
    try:
        validations = read_scalars(run.folder).val
    except (FileNotFoundError, KeyError) as error:
        raise ValueError(
            f'the log of the finished run {run.folder} cannot be read ({error}); remove the '
            'folder to run it anew'
        ) from error
    found = {}
    for metric in METRICS:
        history = [record[metric] for record in validations if metric in record]
        if history:
            found[metric] = _choose(history, checkpoint)
    if not found:
        raise ValueError(
            f'the log of the finished run {run.folder} has none of {", ".join(METRICS)}; it was '
            'trained without validation, so remove the folder to run it anew'
        )
    return found


def _choose(history: Sequence[float], checkpoint: Checkpoint) -> float:
    if checkpoint == 'best':
        return max(history)
    return statistics.median(history[-_WINDOW:]) if checkpoint == 'median' else history[-1]
