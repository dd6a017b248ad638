"""Runs as the tools leave them, without training."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import pytest

from mmtmix.apps.reproduce import (
    Cell,
    Run,
    RunResult,
    choose_cells,
    job_graph,
    read_experiments,
    runs_of,
)

from .fake_slurm import Cluster

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


class Tools:
    """A ``tools`` folder whose ``train.py`` is ``fake_train.py``, and what it did.

    Attributes:
        folder: The folder.
        root: Folder of the runs.
    """

    def __init__(self, folder: Path, root: str):
        self.folder = folder
        self.root = root
        self.plan: dict[str, dict] = {}

    def runs(self, *patterns: str, seeds: int = 1) -> list[Run]:
        """Return runs of the small experiments, whose jobs the fake training can make."""
        cells = choose_cells(read_experiments('configs/experiments_mini.yaml'), list(patterns))
        found = [run for cell in cells for run in runs_of(cell, seeds, self.root)]
        for job in job_graph(found).values():
            produces = 'last.pth' if job.run else Path(job.key).name
            self.plan[job.folder] = dict(produces=produces, digest=job.digest, actions=[])
        self.write()
        return found

    def act(self, part: str, *actions: str, seconds: float = 0.05) -> str:
        """Choose what the attempts of a job do, and return its folder, which contains `part`."""
        (folder,) = (each for each in self.plan if part in each)
        self.plan[folder] |= dict(actions=list(actions), seconds=seconds)
        self.write()
        return folder

    def write(self) -> None:
        """Write the plan."""
        (self.folder / 'plan.json').write_text(json.dumps(self.plan))

    def history(self, event: str) -> list[str]:
        """Return the folders to which something happened, in order."""
        path = self.folder / 'history'
        lines = path.read_text().splitlines() if path.exists() else []
        return [line[len(event) + 1 :] for line in lines if line.startswith(f'{event} ')]


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tools:
    """Make a present folder with configs and without any work dir, and a fake ``train.py``."""
    folder = tmp_path / 'tools'
    folder.mkdir()
    shutil.copy(Path(__file__).with_name('fake_train.py'), folder / 'train.py')
    (tmp_path / 'configs').symlink_to(Path('configs').resolve())
    monkeypatch.chdir(tmp_path)
    return Tools(folder, 'runs')


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    """Put stand-ins for the commands of Slurm on PATH, and return the machine behind them."""
    made = Cluster(tmp_path / 'slurm', tmp_path / 'bin')
    monkeypatch.setenv('FAKE_SLURM', str(made.state))
    monkeypatch.setenv('PATH', str(tmp_path / 'bin'), prepend=os.pathsep)
    for name in [name for name in os.environ if name.startswith(('SLURM_', 'SUBMITIT_'))]:
        monkeypatch.delenv(name)
    return made
