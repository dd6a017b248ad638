"""Results of a cell's runs, read from their logs or from records."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from mmtmix.apps.evaluate.names import suite_of
from mmtmix.visualization import read_scalars

from .evaluations import read_evaluation
from .experiments import ACCURACIES, TOP1, Cell, Checkpoint
from .paired import PairedDifference, paired_difference
from .records import RunResult
from .runs import Run, State, runs_of

_WINDOW = 10  # validations that a median is taken of
_DIGITS = 4  # as in a training log


@dataclass(frozen=True)
class CellResult:
    """Results of the runs of a cell.

    Attributes:
        cell: Cell of an experiments file.
        runs: Finished runs with the present config, in the order of seeds.
        left_out: Reasons why other runs do not count, by seed.
    """

    cell: Cell
    runs: Sequence[RunResult] = ()
    left_out: Mapping[int, str] = field(default_factory=dict)

    def values(self, metric: str) -> list[float]:
        """Return a metric of each run that has it.

        Args:
            metric: Name of the metric.
        """
        return list(self.by_seed(metric).values())

    def by_seed(self, metric: str) -> dict[int, float]:
        """Return a metric of each run that has it, by seed.

        Args:
            metric: Name of the metric.
        """
        return {run.seed: run.metrics[metric] for run in self.runs if metric in run.metrics}

    @property
    def precisions(self) -> dict[int, str]:
        """Return the dtype of each run's forward passes in training, by seed."""
        return {run.seed: run.trained_in for run in self.runs}

    def mean(self, metric: str) -> float | None:
        """Return the mean over the seeds; None without runs.

        Args:
            metric: Name of the metric.
        """
        values = self.values(metric)
        return statistics.fmean(values) if values else None

    def deviation(self, metric: str) -> float | None:
        """Return the standard deviation over the seeds, with n - 1; None below two runs.

        Args:
            metric: Name of the metric.
        """
        values = self.values(metric)
        return statistics.stdev(values) if len(values) > 1 else None


def collect_results(cell: Cell, root: str = 'work_dirs/reproduce', gpus: int = 1) -> CellResult:
    """Return the results of a cell from the folders of its runs, wherever these were made.

    Args:
        cell: Cell of an experiments file.
        root: Folder of all runs.
        gpus: Number of processes per run, >= 1.

    Returns:
        The finished runs. A run whose log is damaged or has no validation is left out, with the
        reason.
    """
    if cell.quoted:
        return CellResult(cell)
    parent = runs_of(cell, root=root)[0].folder.parent
    seeds = sorted(
        int(folder.name.removeprefix('seed'))
        for folder in parent.glob('seed*')
        if folder.name.removeprefix('seed').isdigit()
    )
    left_out = _uncounted(cell, seeds)
    seeds = [seed for seed in seeds if seed not in left_out]
    finished = []
    for run in runs_of(cell, tuple(seeds), root, gpus) if seeds else []:
        try:
            if run.state is State.DONE:
                metrics = _metrics(run, cell)
                finished.append(RunResult.of(run, cell.checkpoint, metrics))
            elif run.state is not State.NOT_RUN:
                left_out[run.seed] = run.state.value
        except (FileNotFoundError, ValueError) as error:  # the other runs still count
            left_out[run.seed] = str(error)
    return CellResult(cell, finished, left_out)


def recorded_results(cell: Cell, records: Iterable[RunResult], gpus: int = 1) -> CellResult:
    """Return the results of a cell from recorded runs.

    Args:
        cell: Cell of an experiments file.
        records: Recorded runs of any cells.
        gpus: Number of processes per run, >= 1; runs of other numbers are ignored.

    Returns:
        Its runs; those made with another config than the present one are left out.

    Raises:
        FileNotFoundError: If the cell has records, but its config does not exist.
        ValueError: If the cell has records, but its config cannot be read.
    """
    if cell.quoted:
        return CellResult(cell)
    run = runs_of(cell)[0]
    of_cell = [
        record
        for record in sorted(records, key=lambda record: record.seed)
        if record.experiment == run.experiment
        and record.checkpoint == cell.checkpoint
        and record.processes == gpus
    ]
    digest = run.digest() if of_cell else ''
    left_out = {
        record.seed: State.OUTDATED.value for record in of_cell if record.digest != digest
    } | _uncounted(cell, [record.seed for record in of_cell])
    return CellResult(
        cell, [record for record in of_cell if record.seed not in left_out], left_out
    )


def _uncounted(cell: Cell, seeds: Iterable[int]) -> dict[int, str]:
    """Return the reason for each seed that does not count, whatever its result."""
    if not cell.seeds:
        return {}
    return {seed: 'not among those that count' for seed in seeds if seed not in cell.seeds}


def group(
    results: Iterable[CellResult], part: Literal['table', 'row']
) -> dict[str, list[CellResult]]:
    """Return results by the table or the row of their cells.

    Args:
        results: Results of any cells.
        part: Part of the cells' ids, ``'table'`` or ``'row'``.
    """
    groups: dict[str, list[CellResult]] = {}
    for result in results:
        groups.setdefault(getattr(result.cell, part), []).append(result)
    return groups


def differences(
    result: CellResult, row: Sequence[CellResult], metric: str = TOP1
) -> dict[str, PairedDifference | None]:
    """Compare a cell with the columns in `against`, by pairs of runs in the same precision.

    Args:
        result: Results of the cell.
        row: Results of all cells of its row.
        metric: Metric to compare.

    Returns:
        Differences by column, for the columns in ``row`` other than the cell's own; None without
        common seeds.
    """
    columns = {other.cell.column: other for other in row}
    own = result.by_seed(metric)
    return {
        name: paired_difference(
            _of_same_precision(own, result, columns[name]), columns[name].by_seed(metric)
        )
        for name in result.cell.against
        if name in columns and name != result.cell.column
    }


def _of_same_precision(
    values: Mapping[int, float], result: CellResult, other: CellResult
) -> dict[int, float]:
    """Return the values of the seeds whose runs in both cells have the same precision."""
    own, others = result.precisions, other.precisions
    return {seed: value for seed, value in values.items() if own[seed] == others.get(seed)}


def _metrics(run: Run, cell: Cell) -> dict[str, float]:
    """Return the metrics that count, each from its own history."""
    try:
        validations = read_scalars(run.folder).val
    except (FileNotFoundError, KeyError) as error:
        raise ValueError(
            f'the log of the finished run {run.folder} cannot be read ({error}). Its weights '
            'are not affected: tools/test.py measures them; to train it again, move the folder '
            'aside'
        ) from error
    found = read_evaluation(run, cell) if any(map(suite_of, cell.metrics)) else {}
    for metric in cell.metrics:
        history = [record[metric] for record in validations if metric in record]
        if history:
            found[metric] = round(_choose(history, cell.checkpoint), _DIGITS)
    # with the default metrics, top-5 may be missing
    lacking = [name for name in cell.metrics if name not in found]
    if not found or (lacking and cell.metrics != ACCURACIES):
        raise ValueError(
            f'the log of the finished run {run.folder} lacks {", ".join(lacking)}; if it was '
            'trained without that validation, tools/test.py measures its weights; to train it '
            'again, move the folder aside'
        )
    return found


def _choose(history: Sequence[float], checkpoint: Checkpoint) -> float:
    if checkpoint == 'best':
        return max(history)
    return statistics.median(history[-_WINDOW:]) if checkpoint == 'median' else history[-1]
