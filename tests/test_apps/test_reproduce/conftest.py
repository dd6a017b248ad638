"""Runs as the tools leave them, without training."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import pytest

from mmtmix.apps.reproduce import Cell, Run, RunResult, runs_of

CONFIG = 'configs/simple/wrn16_fashionmnist_mini.py'
NOTE = dict(
    versions=dict(torch='2'), device='cpu', started='2026-01-01T00:00:00+00:00', seconds=7.0
)


@pytest.fixture
def cell() -> Callable[..., Cell]:
    """Make a cell: ``cell('paper/1/row/column', printed=(80.0,))``."""

    def make(name: str = 'paper/1/row/column', **settings) -> Cell:
        return Cell(name, **dict(dict(config=CONFIG), **settings))

    return make


@pytest.fixture
def finish(tmp_path: Path) -> Callable[..., Run]:
    """Leave a run's folder as a finished training does: ``finish(cell, 0, [70, 80])``.

    Other metrics than accuracies come as a history each, ``others={'mix/ce': [2.0, 1.5]}``.
    """

    def leave(
        cell: Cell,
        seed: int,
        top1: Sequence[float],
        top5: Sequence[float] = (),
        others: Mapping[str, Sequence[float]] = MappingProxyType({}),
    ) -> Run:
        (run,) = runs_of(cell, (seed,), str(tmp_path))
        log = run.folder / '20260101_000000' / 'vis_data' / 'scalars.json'
        log.parent.mkdir(parents=True)
        records = [dict(loss=1.0, step=10 * len(top1), iter=10 * len(top1), epoch=1)]
        for epoch, value in enumerate(top1, 1):
            records.append({'accuracy/top1': value, 'step': epoch})
            if top5:
                records[-1]['accuracy/top5'] = top5[epoch - 1]
            records[-1] |= {name: values[epoch - 1] for name, values in others.items()}
        log.write_text('\n'.join(map(json.dumps, records)) + '\n')
        note = dict(NOTE, digest=run.digest())
        (run.folder / 'run.json').write_text(json.dumps(note))
        (run.folder / 'last.pth').touch()
        return run

    return leave


@pytest.fixture
def record() -> Callable[..., RunResult]:
    """Make a finished run that no folder knows of: ``record(cell, 0, 81.0)``."""

    def make(cell: Cell, seed: int, top1: float) -> RunResult:
        (run,) = runs_of(cell, (seed,))
        metrics = {'accuracy/top1': top1}
        return RunResult(*run.experiment, cell.checkpoint, seed, metrics, 'digest', **NOTE)

    return make
