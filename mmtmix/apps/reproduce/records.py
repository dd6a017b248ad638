"""Files of finished runs, one per line, such as ``results/fashionmnist/runs.jsonl``."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, get_args

from mmtmix.engine.run_record import RECORD
from mmtmix.utils import atomic_path

from .experiments import ACCURACIES, Checkpoint
from .runs import Experiment, Run

_RECORDED = ('digest', 'versions', 'device', 'started', 'seconds')
_FIELDS: dict[str, type | tuple[type, ...]] = dict(
    config=str,
    variants=dict,
    options=list,
    checkpoint=str,
    seed=int,
    metrics=dict,
    digest=str,
    versions=dict,
    device=str,
    started=str,
    seconds=(int, float),
)
_OPTIONAL: dict[str, type] = dict(precision=str, processes=int)
_UNWRITTEN = dict(processes=1)  # of all other fields None
_PROCESSES = re.compile(r'(\d+) x ')  # at the beginning of a device


@dataclass(frozen=True)
class RunResult:
    """A finished run and its result.

    Attributes:
        config: Path of its config.
        variants: Values, by name, of variants that the config declares, sorted.
        options: Overrides of the config, sorted.
        checkpoint: Validation that counts, ``'last'``, ``'best'`` or ``'median'``.
        seed: Seed of the run, >= 0.
        metrics: Results by metric; accuracies are in percent.
        digest: Digest of the configs that made it.
        versions: Versions of packages, by name.
        device: Device that it ran on; ``'A, then B'`` if a later attempt ran on another one.
        started: Time of its start, in ISO 8601.
        seconds: Duration in seconds.
        precision: Dtype of its forward passes in training, such as ``'float32'``, or
            ``'bfloat16, then float32'`` if attempts differ; None in records older than this
            field, whose runs were all in bfloat16.
        processes: Number of processes that shared the batch, >= 1. In records older than this
            field it is that of the device, such as ``'8 x NVIDIA H100'``.
    """

    config: str
    variants: tuple[tuple[str, str], ...]
    options: tuple[str, ...]
    checkpoint: Checkpoint
    seed: int
    metrics: Mapping[str, float]
    digest: str
    versions: Mapping[str, str]
    device: str
    started: str
    seconds: float
    precision: str | None = None
    processes: int = 1

    @classmethod
    def of(cls, run: Run, checkpoint: Checkpoint, metrics: Mapping[str, float]) -> RunResult:
        """Return the result of a finished run, with the details in the record of its folder.

        Args:
            run: Finished run.
            checkpoint: Validation that counts.
            metrics: Results by metric.

        Raises:
            ValueError: If the record lacks a field.
        """
        record = run.record
        lacking = [name for name in _RECORDED if name not in record]
        if lacking:
            raise ValueError(
                f'{run.folder / RECORD} lacks {", ".join(lacking)}; move the folder aside to '
                'run it anew'
            )
        details = {name: record[name] for name in _RECORDED}
        details['device'] = _of_attempts(record, 'device')
        details['precision'] = _of_attempts(record, 'precision')
        return cls(*run.experiment, checkpoint, run.seed, metrics, **details, processes=run.gpus)

    @property
    def experiment(self) -> Experiment:
        """Return the experiment, which runs of other seeds share."""
        return Experiment(self.config, self.variants, self.options)

    @property
    def trained_in(self) -> str:
        """Return the dtype of its forward passes, also for records without that field."""
        return self.precision or 'bfloat16'

    @property
    def key(self) -> tuple[Any, ...]:
        """Return the values that identify the run, in the order of a file."""
        return (*self.experiment, self.checkpoint, self.seed, self.processes)


class Merged(NamedTuple):
    """Records after runs were added to them.

    Attributes:
        records: Records of all runs, each run once.
        new: Number of runs that were not recorded before.
        replaced: Number of runs that replaced one made with another config.
        refused: Runs with the config and seed of a recorded run, but other results. The first
            record stays.
    """

    records: list[RunResult]
    new: int
    replaced: int
    refused: list[RunResult]


def merge_records(recorded: Iterable[RunResult], found: Iterable[RunResult]) -> Merged:
    """Add runs to recorded ones.

    Args:
        recorded: Records of a file.
        found: Finished runs with their present configs. A run that is listed twice counts once,
            with the metrics of both.
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
            first = before.metrics
            if any(first.get(name, value) != value for name, value in result.metrics.items()):
                # a second try must not replace a first one with other results
                refused[result.key] = result
                continue
            result = replace(before, metrics={**first, **result.metrics})
        merged[result.key] = result
    return Merged(list(merged.values()), new, replaced, list(refused.values()))


def read_records(path: str | os.PathLike) -> list[RunResult]:
    """Read the runs of a file.

    Args:
        path: Path of a file with one run per line.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If a line is damaged or repeats the run of another line; with its number.
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
    """Write runs, one per line, in a fixed order, so that versions of the file can be compared.

    Args:
        records: Runs in any order.
        path: Path of the file.
    """
    fields = [asdict(record) for record in sorted(records, key=lambda record: record.key)]
    lines = [
        json.dumps(
            {name: value for name, value in each.items() if value != _UNWRITTEN.get(name)}
            | {'variants': dict(each['variants'])}
        )
        for each in fields
    ]
    with atomic_path(path) as temporary:
        temporary.write_text(''.join(f'{line}\n' for line in lines), encoding='utf-8')


def _of_attempts(record: Mapping[str, Any], name: str) -> str | None:
    """Return a field of all attempts of a run, in order; None if no attempt has it."""
    attempts = [*(record.get('earlier') or ()), record]
    values = [each[name] for each in attempts if each.get(name) is not None]
    changes = [
        value for value, last in zip(values, [None, *values], strict=False) if value != last
    ]
    return ', then '.join(changes) or None


def _parse(line: str) -> RunResult:
    fields = json.loads(line)
    if isinstance(fields, dict) and fields.pop('before', None):
        raise ValueError(
            'commands were run before it, which cells no longer have: an entry of `requires` '
            'with `options` takes their place'
        )
    if not isinstance(fields, dict) or fields.keys() - _OPTIONAL.keys() != _FIELDS.keys():
        raise ValueError(f'it must hold {", ".join(_FIELDS)}, got {line}')
    for name, kind in (_FIELDS | _OPTIONAL).items():
        if name in fields and not isinstance(fields[name], kind):
            raise ValueError(f'{name} is of the wrong type: {fields[name]!r}')
    for name in ('variants', 'options', 'versions'):
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
    shared = _PROCESSES.match(fields['device'])
    fields.setdefault('processes', int(shared[1]) if shared else 1)
    return RunResult(**{**fields, 'options': tuple(fields['options'])})


def _is_result(metric: str, value: Any) -> bool:
    if not isinstance(value, (int, float)) or not math.isfinite(value):
        return False
    return metric not in ACCURACIES or 0 <= value <= 100
