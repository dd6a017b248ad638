"""Finished runs as lines of a file, such as ``results/fashionmnist/runs.jsonl``."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, get_args

from mmtmix.utils import atomic_path

from .experiments import ACCURACIES, Checkpoint
from .runs import RECORD, Experiment, Run

_NOTED = ('digest', 'versions', 'device', 'started', 'seconds')
_FIELDS: dict[str, type | tuple[type, ...]] = dict(
    config=str,
    variants=dict,
    options=list,
    before=list,
    checkpoint=str,
    seed=int,
    metrics=dict,
    digest=str,
    versions=dict,
    device=str,
    started=str,
    seconds=(int, float),
)
_OPTIONAL: dict[str, type] = dict(precision=str)


@dataclass(frozen=True)
class RunResult:
    """A finished run and what it came to.

    Attributes:
        config: Path of its config.
        variants: Values, by name, of variants that the config declares, sorted.
        options: Overrides of the config, sorted.
        before: Commands that were run first.
        checkpoint: Which validation counts.
        seed: Of the run.
        metrics: What it came to, by metric; accuracies in percent.
        digest: Of the configs that made it.
        versions: Of packages, by name.
        device: What it ran on.
        started: When, in ISO 8601.
        seconds: How long it took.
        precision: Dtype of its forward passes in training, such as ``'float32'``; None in
            records older than this entry, whose runs were all in bfloat16.
    """

    config: str
    variants: tuple[tuple[str, str], ...]
    options: tuple[str, ...]
    before: tuple[str, ...]
    checkpoint: Checkpoint
    seed: int
    metrics: Mapping[str, float]
    digest: str
    versions: Mapping[str, str]
    device: str
    started: str
    seconds: float
    precision: str | None = None

    @classmethod
    def of(cls, run: Run, checkpoint: Checkpoint, metrics: Mapping[str, float]) -> RunResult:
        """A finished run with its metrics, and what its folder notes of it.

        Raises:
            ValueError: If the note lacks something.
        """
        note = run.record
        lacking = [name for name in _NOTED if name not in note]
        if lacking:
            raise ValueError(
                f'{run.folder / RECORD} lacks {", ".join(lacking)}; move the folder aside to '
                'run it anew'
            )
        noted = {name: note[name] for name in _NOTED} | {'precision': note.get('precision')}
        return cls(*run.experiment, checkpoint, run.seed, metrics, **noted)

    @property
    def experiment(self) -> Experiment:
        """What it shares with runs of other seeds, as that of a :class:`Run`."""
        return Experiment(self.config, self.variants, self.options, self.before)

    @property
    def trained_in(self) -> str:
        """Dtype of its forward passes: what is recorded, or what that was before."""
        return self.precision or 'bfloat16'

    @property
    def key(self) -> tuple[Any, ...]:
        """What tells it from other runs, in the order of a file."""
        return (*self.experiment, self.checkpoint, self.seed)


class Merged(NamedTuple):
    """Records with runs that were found.

    Attributes:
        records: All of them, a run once.
        new: How many are of runs that weren't recorded.
        replaced: How many took the place of one made with another config.
        refused: Runs of a recorded config and seed that came to something else; what was
            recorded first stays.
    """

    records: list[RunResult]
    new: int
    replaced: int
    refused: list[RunResult]


def merge_records(recorded: Iterable[RunResult], found: Iterable[RunResult]) -> Merged:
    """Add runs to recorded ones.

    Args:
        recorded: What a file holds.
        found: Finished runs with their present configs; doubles count once, with all metrics that
            cells ask of them.
    """
    merged = {record.key: record for record in recorded}
    new, replaced = 0, 0
    refused: dict[tuple[Any, ...], RunResult] = {}
    for result in found:
        before = merged.get(result.key)
        if before is None:
            new += 1
        elif before.digest != result.digest:
            replaced += 1
        else:
            known = before.metrics
            if any(known.get(name, value) != value for name, value in result.metrics.items()):
                # a second try must not take the place of a first one that it doesn't agree with
                refused[result.key] = result
                continue
            result = replace(before, metrics={**known, **result.metrics})
        merged[result.key] = result
    return Merged(list(merged.values()), new, replaced, list(refused.values()))


def read_records(path: str | os.PathLike) -> list[RunResult]:
    """Read the runs of a file.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If a line is damaged or has the run of another one, with its number.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f'results file {str(path)!r} does not exist')
    lines: dict[tuple[Any, ...], int] = {}
    records = []
    for number, line in enumerate(Path(path).read_text(encoding='utf-8').splitlines(), 1):
        try:
            record = _parse(line)
        except ValueError as error:
            raise ValueError(f'{path} is damaged in line {number}: {error}') from error
        if record.key in lines:
            raise ValueError(
                f'{path} has the run of line {lines[record.key]} in line {number} too'
            )
        lines[record.key] = number
        records.append(record)
    return records


def write_records(records: Iterable[RunResult], path: str | os.PathLike) -> None:
    """Write runs, one a line, in an order of their own, so that a file's versions compare."""
    fields = [asdict(record) for record in sorted(records, key=lambda record: record.key)]
    lines = [
        json.dumps(
            {name: value for name, value in each.items() if value is not None}
            | {'variants': dict(each['variants'])}
        )
        for each in fields
    ]
    with atomic_path(path) as temporary:
        temporary.write_text(''.join(f'{line}\n' for line in lines), encoding='utf-8')


def _parse(line: str) -> RunResult:
    fields = json.loads(line)
    if not isinstance(fields, dict) or fields.keys() - _OPTIONAL.keys() != _FIELDS.keys():
        raise ValueError(f'it must hold {", ".join(_FIELDS)}, got {line}')
    for name, kind in (_FIELDS | _OPTIONAL).items():
        if name in fields and not isinstance(fields[name], kind):
            raise ValueError(f'{name} is of the wrong type: {fields[name]!r}')
    for name in ('variants', 'options', 'before', 'versions'):
        held = fields[name]
        texts = held.values() if isinstance(held, dict) else held
        if not all(isinstance(text, str) for text in texts):
            raise ValueError(f'{name} must hold texts alone, got {held!r}')
    if fields['checkpoint'] not in get_args(Checkpoint):
        raise ValueError(f'checkpoint must be one of {get_args(Checkpoint)}, got {line}')
    metrics = fields['metrics']
    if not metrics or not all(_is_result(*each) for each in metrics.items()):
        raise ValueError(f'metrics must be numbers, accuracies in percent, got {metrics!r}')
    fields['variants'] = tuple(sorted(fields['variants'].items()))
    return RunResult(**{**fields, **{name: tuple(fields[name]) for name in ('options', 'before')}})


def _is_result(metric: str, value: Any) -> bool:
    if not isinstance(value, (int, float)) or not math.isfinite(value):
        return False
    return metric not in ACCURACIES or 0 <= value <= 100
