"""What the runs of a cell came to, read from their own logs or from records."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from mmtmix.visualization import read_scalars

from .experiments import ACCURACIES, TOP1, Cell, Checkpoint
from .paired import PairedDifference, paired_difference
from .records import RunResult
from .runs import Run, State, runs_of

_WINDOW = 10  # validations of a median
_DIGITS = 4  # as in a training's log


@dataclass(frozen=True)
class CellResult:
    """What the runs of a cell came to.

    Attributes:
        cell: The cell.
        runs: Its finished runs with the present config, by seed.
        left_out: Why other runs that were begun or recorded don't count, by seed.
    """

    cell: Cell
    runs: Sequence[RunResult] = ()
    left_out: Mapping[int, str] = field(default_factory=dict)

    def values(self, metric: str) -> list[float]:
        """A metric of each run that has it."""
        return list(self.by_seed(metric).values())

    def by_seed(self, metric: str) -> dict[int, float]:
        """The same by seed."""
        return {run.seed: run.metrics[metric] for run in self.runs if metric in run.metrics}

    @property
    def precisions(self) -> dict[int, str]:
        """Dtype of each run's forward passes in training, by seed."""
        return {run.seed: run.trained_in for run in self.runs}

    def mean(self, metric: str) -> float | None:
        """Mean over the seeds; None without runs."""
        values = self.values(metric)
        return statistics.fmean(values) if values else None

    def deviation(self, metric: str) -> float | None:
        """Standard deviation of the seeds, n - 1; None below two runs."""
        values = self.values(metric)
        return statistics.stdev(values) if len(values) > 1 else None


def collect_results(cell: Cell, root: str = 'work_dirs/reproduce') -> CellResult:
    """Return what the runs of a cell came to, as their folders have it.

    Args:
        cell: Any cell.
        root: The folder of all runs.

    Returns:
        The finished runs; one whose log is damaged or has no validation is left out with the
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
    for run in runs_of(cell, tuple(seeds), root) if seeds else []:
        try:
            if run.state is State.DONE:
                metrics = _metrics(run, cell)
                finished.append(RunResult.of(run, cell.checkpoint, metrics))
            elif run.state is not State.NOT_RUN:
                left_out[run.seed] = run.state.value
        except (FileNotFoundError, ValueError) as error:  # the other runs still tell something
            left_out[run.seed] = str(error)
    return CellResult(cell, finished, left_out)


def recorded_results(cell: Cell, records: Iterable[RunResult]) -> CellResult:
    """Return what the runs of a cell came to, as a file records it.

    Args:
        cell: Any cell.
        records: Of any cells.

    Returns:
        Its runs; those made with another config than the present one are left out.

    Raises:
        FileNotFoundError: If the cell has records, but its config isn't there.
        ValueError: The same of a config that can't be read.
    """
    if cell.quoted:
        return CellResult(cell)
    run = runs_of(cell)[0]
    of_cell = [
        record
        for record in sorted(records, key=lambda record: record.seed)
        if record.experiment == run.experiment and record.checkpoint == cell.checkpoint
    ]
    digest = run.digest() if of_cell else ''
    left_out = {
        record.seed: State.OUTDATED.value for record in of_cell if record.digest != digest
    } | _uncounted(cell, [record.seed for record in of_cell])
    return CellResult(
        cell, [record for record in of_cell if record.seed not in left_out], left_out
    )


def _uncounted(cell: Cell, seeds: Iterable[int]) -> dict[int, str]:
    """Why some of the seeds don't count, whatever they came to."""
    if not cell.seeds:
        return {}
    return {seed: 'not among those that count' for seed in seeds if seed not in cell.seeds}


def group(
    results: Iterable[CellResult], part: Literal['table', 'row']
) -> dict[str, list[CellResult]]:
    """Results by the table or the row of their cells."""
    groups: dict[str, list[CellResult]] = {}
    for result in results:
        groups.setdefault(getattr(result.cell, part), []).append(result)
    return groups


def differences(
    result: CellResult, row: Sequence[CellResult], metric: str = TOP1
) -> dict[str, PairedDifference | None]:
    """Compare a cell with those that its row is compared with, over runs of one precision.

    Args:
        result: Of the cell.
        row: Of all cells of its row.
        metric: Which one.

    Returns:
        Differences by column, of the columns that ``row`` has, without the cell's own;
        None without common seeds.
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
    """Values of the seeds whose runs in both cells were made in the same precision."""
    own, others = result.precisions, other.precisions
    return {seed: value for seed, value in values.items() if own[seed] == others.get(seed)}


def _metrics(run: Run, cell: Cell) -> dict[str, float]:
    """What counts, each metric by its own history."""
    try:
        validations = read_scalars(run.folder).val
    except (FileNotFoundError, KeyError) as error:
        raise ValueError(
            f'the log of the finished run {run.folder} cannot be read ({error}). Its weights '
            'are not affected: tools/test.py measures them; to train it anew as well, move the '
            'folder aside'
        ) from error
    found = {}
    for metric in cell.metrics:
        history = [record[metric] for record in validations if metric in record]
        if history:
            found[metric] = round(_choose(history, cell.checkpoint), _DIGITS)
    # where the default counts, top-5 may be missing
    lacking = [name for name in cell.metrics if name not in found]
    if not found or (lacking and cell.metrics != ACCURACIES):
        raise ValueError(
            f'the log of the finished run {run.folder} lacks {", ".join(lacking)}; if it was '
            'trained without that validation, tools/test.py measures its weights; to train it '
            'anew as well, move the folder aside'
        )
    return found


def _choose(history: Sequence[float], checkpoint: Checkpoint) -> float:
    if checkpoint == 'best':
        return max(history)
    return statistics.median(history[-_WINDOW:]) if checkpoint == 'median' else history[-1]
