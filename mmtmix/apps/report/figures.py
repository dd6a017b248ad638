"""Figures of a run from its log: results at its end, time per step, speed and memory."""

from __future__ import annotations

import math
import re
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from mmtmix.visualization.scalars import Record

from .work_dir import WorkDir

TOP1 = 'accuracy/top1'
WINDOW = 10
"""Validations of the median, as in :class:`mmtmix.engine.hooks.AccuracySummaryHook`."""

_HIGHER_IS_BETTER = ('accuracy/', 'single-label/', 'multi-label/', 'retrieval/')
_NO_METRICS = frozenset({'data_time', 'time', 'step', 'iter', 'epoch'})


class Final(NamedTuple):
    """Final figures of a metric.

    Attributes:
        metric: Its name in the log.
        last: Value of the last validation.
        best: Best value; None if it is unknown whether more is better.
        median: Median of the last validations.
        validations: Number of validations.
    """

    metric: str
    last: float
    best: float | None
    median: float
    validations: int


class Fact(NamedTuple):
    """A row of a table of two columns.

    Attributes:
        name: First column.
        value: Second column.
        note: Remark below the value.
    """

    name: str
    value: str
    note: str = ''


def final_figures(validations: Sequence[Record]) -> list[Final]:
    """Return the final figures of every metric of the validations.

    Args:
        validations: Records of the log.

    Returns:
        One per metric, top-1 accuracy first. Values that are no finite numbers don't count.
    """
    names = sorted({name for record in validations for name in record if is_metric(name)})
    found = []
    for name in sorted(names, key=lambda name: name != TOP1):
        values = [float(record[name]) for record in validations if is_number(record.get(name))]
        if values:
            best = max(values) if name.startswith(_HIGHER_IS_BETTER) else None
            median = statistics.median(values[-WINDOW:])
            found.append(Final(name, values[-1], best, median, len(values)))
    return found


def is_metric(name: str) -> bool:
    """Return whether a name in the log of a validation is that of a result.

    Args:
        name: Name in the log.
    """
    return name not in _NO_METRICS and not name.startswith('summary/')


def is_number(value: Any) -> bool:
    """Return whether a value of a log is a finite number.

    Args:
        value: Any value.
    """
    is_one = isinstance(value, (int, float)) and not isinstance(value, bool)
    return is_one and math.isfinite(value)


def costs(run: WorkDir) -> list[Fact]:
    """Return what a run took, as far as record and log have it.

    Args:
        run: Content of its work dir.
    """
    train = run.scalars.train if run.scalars else []
    facts = []
    step, loading = _median(train, 'time'), _median(train, 'data_time')
    batch = _dict(run.config.get('train_dataloader')).get('batch_size')
    processes = run.record.get('processes')
    if step:
        facts.append(Fact('Time per step', f'{1000 * step:.1f} ms', 'median of the log'))
    if step and isinstance(batch, int):
        number = processes if isinstance(processes, int) else 1
        note = f'{batch} images per step and process'
        note += f', {number} processes' if number > 1 else ''
        facts.append(Fact('Images per second', f'{batch * number / step:,.0f}', note))
    if step and loading is not None:
        facts.append(
            Fact(
                'Share of waiting for data',
                f'{100 * loading / step:.1f} %',
                'median time until a batch is there, of the time per step',
            )
        )
    facts += _teacher(train)
    memory = [record['memory'] for record in train if is_number(record.get('memory'))]
    if memory:
        facts.append(Fact('Peak memory of the GPU', f'{max(memory):,.0f} MB', 'of a process'))
    return facts


def environment(run: WorkDir) -> list[Fact]:
    """Return where and with what a run was made, from its record or else from its log.

    Args:
        run: Content of its work dir.
    """
    record = run.record
    facts = [
        Fact(name, str(record[key]))
        for name, key in (
            ('Device', 'device'),
            ('Precision', 'precision'),
            ('Machine', 'host'),
            ('Processes', 'processes'),
            ('Seed', 'seed'),
            ('Started', 'started'),
            ('Last written', 'updated'),
        )
        if record.get(key) is not None
    ]
    facts += [Fact(name, str(value)) for name, value in _dict(record.get('versions')).items()]
    earlier = record.get('earlier') or ()
    for number, attempt in enumerate(filter(lambda each: isinstance(each, Mapping), earlier), 1):
        words = [f'{name} {attempt[name]}' for name in ('device', 'precision') if name in attempt]
        facts.append(Fact(f'Earlier attempt {number}', ', '.join(words)))
    return facts or _logged_environment(run.path)


def seconds_in_log(run: WorkDir) -> float | None:
    """Return the seconds of all training steps in a log; None if it has no times.

    Args:
        run: Content of a work dir.
    """
    total, before = 0.0, 0
    for record in run.scalars.train if run.scalars else ():
        if is_number(record.get('time')):
            total += (record['step'] - before) * record['time']
            before = record['step']
    return total or None


_LOGGED = {
    'sys.platform': 'Platform',
    'Python': 'Python',
    'GPU 0': 'GPU 0',
    'CUDA_HOME': 'CUDA_HOME',
    'PyTorch': 'torch',
    'TorchVision': 'torchvision',
    'OpenCV': 'opencv',
    'MMEngine': 'mmengine',
    'seed': 'Seed',
    'Distributed launcher': 'Launcher',
    'GPU number': 'GPUs',
}
_ENTRY = re.compile(r' {4}(\w[\w. ]*): (.+)')
_LINES = 200  # of a log, whose first part is the environment


def _logged_environment(folder: Path) -> list[Fact]:
    """Return the environment in the newest log of MMEngine; none without a log."""
    for file in sorted(folder.glob('*/*.log'), reverse=True):
        try:
            with open(file, encoding='utf-8', errors='replace') as log:
                lines = [line.rstrip('\n') for _, line in zip(range(_LINES), log, strict=False)]
        except OSError:
            continue
        matches = filter(None, map(_ENTRY.fullmatch, lines))
        found = {_LOGGED[match[1]]: match[2] for match in matches if match[1] in _LOGGED}
        if found:
            return [Fact(name, value) for name, value in found.items()]
    return []


def _teacher(train: Sequence[Record]) -> list[Fact]:
    """Return the teacher's share of a step, which is there if a hook has logged its time."""
    times = [
        (record['teacher_time'], record['time'])
        for record in train
        if is_number(record.get('teacher_time')) and is_number(record.get('time'))
    ]
    if not times:
        return []
    share = statistics.median(100 * teacher / step for teacher, step in times if step)
    return [Fact("Teacher's share", f'{share:.1f} %', 'of the time per step, median of the log')]


def _median(records: Sequence[Record], name: str) -> float | None:
    values = [record[name] for record in records if is_number(record.get(name))]
    # the first one holds the start of workers and the choice of algorithms
    values = values[1:] if len(values) > 2 else values
    return statistics.median(values) if values else None


def _dict(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
